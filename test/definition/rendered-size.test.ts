/** What is made of a value for an answer has a bound, and is not even made where it would be beyond it. */
import { describe, expect, test } from 'bun:test'
import type { Definition } from '../../lib/definition/index.ts'
import { presentationOf } from '../../lib/definition/presentation.ts'
import { avroCodecOfTexts } from '../../lib/format/avro.ts'
import { canonicalJson, type Codec, type Json } from '../../lib/format/index.ts'
import { utf8Codec } from '../../lib/format/simple/utf8.ts'

const stored = { value: new Uint8Array(3), partition: 3, offset: 42 }

function presentationOfCodec(codec: Codec) {
  const definition: Definition = { key: utf8Codec, input: codec, value: codec, isPlain: false, keepsBytes: true }
  return presentationOf(definition)
}

function times<T>(length: number, item: T): T[] {
  return Array.from({ length }, () => item)
}

function refusal(as: string) {
  return expect.objectContaining({
    code: 'not_acceptable',
    message: `Rendering the value of partition 3, source offset 42 as ${as}: it would have more than 16777216 bytes; ask for application/octet-stream, which are the stored bytes`,
    details: { partition: 3, offset: 42 },
  })
}

describe('an answer has at most 16 MiB of', () => {
  const name = 'n'.repeat(1_000_000)
  const cases: [what: string, fits: Json, exceeds: Json][] = [
    ['a string', 'a'.repeat(16_777_214), 'a'.repeat(16_777_215)],
    ['characters of several bytes', '€'.repeat(5_000_000), '€'.repeat(6_000_000)],
    ['what is escaped', '\0'.repeat(2_000_000), '\0'.repeat(3_000_000)],
    ['names', times(16, { [name]: 1 }), times(17, { [name]: 1 })],
    ['numbers', times(4_000_000, 123), times(4_500_000, 1_234)],
    ['what no machine has room for', 7, times(1_000_000, { [name]: 1 })],
  ]
  test.each(cases)('%s', (_, fits, exceeds) => {
    const of = (json: Json) =>
      presentationOfCodec({ ...(utf8Codec as Codec), decode: () => json, toJson: () => json, toText: canonicalJson })
    expect(of(fits).render(stored, 'json')).toBe(JSON.stringify(fits))
    expect(of(fits).render(stored, 'text')).toBe(canonicalJson(fits))
    for (const as of ['json', 'text'] as const) expect(() => of(exceeds).render(stored, as)).toThrow(refusal(as))
    expect(of(exceeds).render(stored, 'bytes')).toBe(stored.value)
  })
})

test('a few bytes whose schema has long names are refused without being shown', () => {
  const symbols = ['S'.repeat(900_000)]
  const codec = avroCodecOfTexts([JSON.stringify({ type: 'array', items: { type: 'enum', name: 'E', symbols } })])
  const presentation = presentationOfCodec(codec)
  const value = Uint8Array.from([0xd0, 0x0f, ...times(1_000, 0), 0])
  expect(codec.decode(value)).toHaveLength(1_000)
  for (const as of ['json', 'text'] as const) {
    expect(() => presentation.render({ ...stored, value }, as)).toThrow(refusal(as))
  }
  expect(presentation.render({ ...stored, value }, 'bytes')).toBe(value)
})
