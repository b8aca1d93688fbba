/** Bytes that Apache Avro for Java has written, and what JSON shows of them. */
import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { avroCodec, avroCodecOfTexts } from '../../../lib/format/avro.ts'
import type { Json } from '../../../lib/format/index.ts'
import { writeVectors } from '../../support/format/avro/java.ts'
import vectors from '../../support/format/avro/vectors.json' with { type: 'json' }
import { hasJava } from '../../support/format/java/java.ts'

/** There is more than one way to write an array. */
const notCanonical = new Set(['array in blocks of other sizes'])

test.each(vectors)('what Java writes is read, and written the same: $name', ({ name, schema, bytes, json }) => {
  const codec = avroCodecOfTexts([schema])
  const decoded = codec.decode(Uint8Array.fromHex(bytes))
  expect(codec.toJson(decoded)).toEqual(json as Json)
  const encoded = codec.encode(codec.fromJson(JSON.parse(JSON.stringify(json)) as Json))
  if (!notCanonical.has(name)) expect(encoded.toHex()).toBe(bytes)
  expect(codec.encode(codec.fromText(codec.toText(decoded)))).toEqual(encoded)
})

test('defaults of all kinds are filled in as Java does', () => {
  const codec = avroCodec({ file: join(import.meta.dir, '../../support/format/avro/order.avsc') })
  const { bytes } = vectors.find(({ name }) => name === 'order with defaults')!
  expect(codec.encode({ id: 10_071 }).toHex()).toBe(bytes)
  expect(codec.fromJson({ id: 10_071 })).toEqual(codec.decode(Uint8Array.fromHex(bytes)))
})

// Where Docker runs Kafka, there may be no Java.
if (hasJava) {
  test('the vectors are what Java writes', async () => {
    expect(await writeVectors()).toEqual(vectors.map(({ name, schema, bytes }) => ({ name, schema, bytes })))
  })
}
