/** Bytes that nobody has written in good faith. */
import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { avroCodecOfTexts } from '../../../lib/format/avro.ts'
import { order } from './schemas.ts'

const long = 'ffffffffffffffffff01'

const hostile: { schema: unknown; hex: string; found: string }[] = [
  { schema: 'long', hex: '', found: 'it ends after 0 bytes, in the midst of a value' },
  { schema: 'long', hex: 'ff', found: 'it ends after 1 bytes, in the midst of a value' },
  { schema: 'long', hex: 'ffffffffffffffffff03', found: 'a long has more than 64 bits, at byte 10' },
  { schema: 'long', hex: 'ffffffffffffffffffff01', found: 'a long has more than 64 bits, at byte 10' },
  { schema: 'int', hex: '8080808010', found: 'an int is 2147483648, at byte 5' },
  { schema: 'int', hex: long, found: 'an int is -9223372036854775808, at byte 10' },
  { schema: 'boolean', hex: '02', found: 'a boolean is 2, at byte 1' },
  { schema: 'double', hex: '00000000', found: 'it ends after 4 bytes, 4 too early' },
  { schema: 'string', hex: '01', found: 'the length of a string is -1, at byte 1' },
  { schema: 'string', hex: '0a6162', found: 'it ends after 3 bytes, 3 too early' },
  { schema: 'string', hex: 'feffffffffffffffff01', found: 'the length of a string is 9223372036854775807, at byte 10' },
  { schema: 'string', hex: '02ff', found: 'a string is no UTF-8, at byte 2' },
  { schema: 'bytes', hex: 'feffffff0f00', found: 'it ends after 6 bytes, 2147483646 too early' },
  { schema: 'long', hex: '0200', found: '1 bytes are left after the value' },
  { schema: 'null', hex: '00', found: '1 bytes are left after the value' },
  { schema: ['null', 'long'], hex: '04', found: 'a union has number 2 of 2, at byte 1' },
  { schema: ['null', 'long'], hex: '01', found: 'a union has number -1 of 2, at byte 1' },
  { schema: { type: 'enum', name: 'E', symbols: ['A'] }, hex: '02', found: 'enum E has number 1 of 1, at byte 1' },
  { schema: { type: 'array', items: 'long' }, hex: '80808080800200', found: 'in the midst of a value' },
  {
    schema: { type: 'array', items: 'null' },
    hex: '80808080808080808001',
    found: 'more than 65536 items take no bytes',
  },
  { schema: { type: 'array', items: 'long' }, hex: `${long}00`, found: 'in the midst of a value' },
  { schema: { type: 'array', items: 'long' }, hex: '01ff01', found: 'the length of a block is -128' },
  {
    schema: { type: 'bytes', logicalType: 'decimal', precision: 4, scale: 2 },
    hex: '0801020304',
    found: 'a decimal of 4 digits has 4 bytes',
  },
]

test.each(hostile)('$hex as $schema is refused', ({ schema, hex, found }) => {
  const codec = avroCodecOfTexts([JSON.stringify(schema)])
  expect(() => codec.decode(Uint8Array.fromHex(hex))).toThrow(found)
})

test('items that take no bytes are bounded in a value, not in each of its arrays', () => {
  const codec = avroCodecOfTexts([JSON.stringify({ type: 'array', items: { type: 'array', items: 'null' } })])
  // Two arrays of 40,000.
  expect(() => codec.decode(Uint8Array.fromHex('0480f10400' + '80f1040000'))).toThrow('more than 65536 items')
  expect(codec.decode(Uint8Array.fromHex('0280f1040000'))).toHaveLength(1)
})

describe('a schema that holds itself', () => {
  const tree = avroCodecOfTexts([
    JSON.stringify({ type: 'record', name: 'T', fields: [{ name: 't', type: ['null', 'T'], default: null }] }),
  ])

  test('is read and written up to a depth', () => {
    const deep = Uint8Array.fromHex(`${'02'.repeat(900)}00`)
    expect(tree.encode(tree.decode(deep))).toEqual(deep)
  })

  test('is refused beyond it', () => {
    expect(() => tree.decode(Uint8Array.fromHex('02'.repeat(1_000_000)))).toThrow('it is nested more than 1000 deep')
    expect(() => tree.decode(Uint8Array.fromHex(`${'02'.repeat(1000)}00`))).toThrow('it is nested more than 1000 deep')
    let json: { t: unknown } = { t: null }
    for (let depth = 1; depth < 1000; depth++) json = { t: json }
    expect(tree.decode(tree.encode(json as never))).toEqual(json as never)
    json = { t: json }
    expect(() => tree.encode(json as never)).toThrow('it must be nested at most 1000 deep')
    for (let depth = 1001; depth < 2_000; depth++) json = { t: json }
    expect(() => tree.encode(json as never)).toThrow('it must be nested at most 1000 deep')
  })
})

test('a codec that has refused something goes on', () => {
  const codec = avroCodecOfTexts([order])
  expect(() => codec.decode(Uint8Array.of(1, 2, 3))).toThrow()
  expect(() => codec.encode({ id: 'x' })).toThrow()
  expect(codec.decode(codec.encode({ id: 7 }))).toMatchObject({ id: 7 })
})

test('any bytes are either a value, which is written and read again, or refused with an Error', () => {
  const codec = avroCodecOfTexts([order])
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      let value
      try {
        value = codec.decode(bytes)
      } catch (error) {
        expect((error as Error).constructor).toBe(Error)
        return
      }
      expect(codec.decode(codec.encode(value))).toEqual(value)
    }),
    { numRuns: 5_000 },
  )
})

test('changed bytes of a value are read or refused, never read past', () => {
  const codec = avroCodecOfTexts([order])
  const sound = codec.encode({ id: 7, tags: ['a', 'b'], prices: { EUR: 1, USD: 2 }, note: 'n' })
  fc.assert(
    fc.property(fc.nat(sound.length - 1), fc.nat(255), (at, byte) => {
      const bytes = sound.slice()
      bytes[at] = byte
      let value
      try {
        value = codec.decode(bytes)
      } catch {
        return
      }
      let written
      try {
        written = codec.encode(value)
      } catch (error) {
        // A decimal may have room for more digits than its schema allows: such a one is shown, and not written.
        expect((error as Error).message).toContain('it must have at most 9 digits')
        return
      }
      // As JSON, which has no -0.
      expect(codec.decode(written)).toEqual(JSON.parse(JSON.stringify(value)))
    }),
    { numRuns: 3_000 },
  )
})
