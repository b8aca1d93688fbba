import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import type { Json } from '../../../../lib/format/index.ts'

/** A record with defaults of all kinds. */
export const order = readFileSync(join(import.meta.dir, 'order.avsc'), 'utf8')

/** A schema and a value of it, in JSON as codecs show it. */
export interface Sample {
  schema: unknown
  json: Json
}

const text = fc.string({ unit: 'grapheme', maxLength: 8 }).filter((string) => string.isWellFormed())
const long = fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n)
const named = (schema: unknown) => (json: Json) => ({ schema, json })
const longJson = (value: bigint): Json => (Number.isSafeInteger(Number(value)) ? Number(value) : String(value))

const leaves: fc.Arbitrary<Sample>[] = [
  fc.constant(null).map(named('null')),
  fc.boolean().map(named('boolean')),
  fc.integer().map(named('int')),
  long.map(longJson).map(named('long')),
  fc
    .double()
    .map((value) => (Number.isFinite(value) ? value + 0 : String(value)))
    .map(named('double')),
  text.map(named('string')),
  fc
    .uint8Array()
    .map((bytes) => bytes.toBase64())
    .map(named('bytes')),
  fc
    .date({ noInvalidDate: true })
    .map((date) => date.toISOString())
    .map(named({ type: 'long', logicalType: 'timestamp-millis' })),
  fc
    .bigInt(-(10n ** 20n) + 1n, 10n ** 20n - 1n)
    .map((unscaled) => String(unscaled))
    .map(named({ type: 'bytes', logicalType: 'decimal', precision: 20, scale: 0 })),
]

/** Each named type has a unique name. */
let names = 0

export const { sample } = fc.letrec<{ sample: Sample }>((tie) => ({
  sample: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    ...leaves,
    tie('sample').map(({ schema, json }) => ({ schema: { type: 'array', items: schema }, json: [json, json] })),
    fc.tuple(fc.uniqueArray(text, { maxLength: 3 }), tie('sample')).map(([keys, { schema, json }]) => ({
      schema: { type: 'map', values: schema },
      json: Object.fromEntries(keys.map((key) => [key, json])),
    })),
    fc.array(tie('sample'), { maxLength: 4 }).map((samples) => {
      const fields = samples.map(({ schema }, index) => ({ name: `f${index}`, type: schema }))
      const json = Object.fromEntries(samples.map((field, index) => [`f${index}`, field.json]))
      return { schema: { type: 'record', name: `R${names++}`, fields }, json }
    }),
  ),
}))
