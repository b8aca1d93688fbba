/** Hostile bytes. */
import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { avroCodecOfTexts } from '../../../lib/format/avro.ts'
import { order } from '../../support/format/avro/schemas.ts'

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
  { schema: 'string', hex: '02ff', found: 'a string is not UTF-8, at byte 2' },
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
    found: 'more than 65576 records and nulls are in its 10 bytes',
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

test('nulls are bounded in a value, not in each of its arrays', () => {
  const codec = avroCodecOfTexts([JSON.stringify({ type: 'array', items: { type: 'array', items: 'null' } })])
  // Two arrays of 40,000.
  expect(() => codec.decode(Uint8Array.fromHex('0480f10400' + '80f1040000'))).toThrow(
    'more than 65576 records and nulls are in its 10 bytes',
  )
  expect(codec.decode(Uint8Array.fromHex('0280f1040000'))).toHaveLength(1)
})

test('fixed of no bytes are bounded, too', () => {
  const codec = avroCodecOfTexts([JSON.stringify({ type: 'array', items: { type: 'fixed', name: 'F', size: 0 } })])
  expect(() => codec.decode(Uint8Array.fromHex('80808080808080808001'))).toThrow('more than 65576 records and nulls')
  expect(codec.decode(Uint8Array.fromHex('0400'))).toEqual(['', ''])
})

describe('a schema that doubles at each level', () => {
  /** Each record holds two of the one before it; the innermost one has these fields. */
  function doubling(levels: number, fields: object[], of: object = {}): string {
    let schema: object = { type: 'record', name: 'R0', fields }
    for (let level = 1; level <= levels; level++) {
      const again = { name: 'b', type: `R${level - 1}`, ...of }
      schema = { type: 'record', name: `R${level}`, fields: [{ name: 'a', type: schema, ...of }, again] }
    }
    return JSON.stringify(schema)
  }

  test.each([
    ['nothing', []],
    ['nulls', [{ name: 'n', type: 'null' }]],
    ['fixed of no bytes', [{ name: 'f', type: { type: 'fixed', name: 'F', size: 0 } }]],
  ])('makes no more of %s than a value may have', (_, fields) => {
    const codec = avroCodecOfTexts([doubling(40, fields)])
    expect(() => codec.decode(new Uint8Array(0))).toThrow('more than 65536 records and nulls are in its 0 bytes')
    const small = avroCodecOfTexts([doubling(3, fields)])
    expect(small.encode(small.decode(new Uint8Array(0)))).toEqual(new Uint8Array(0))
  })

  test('may have some records for each byte that a value has', () => {
    const level = { type: 'record', name: 'L', fields: [{ name: 'b', type: 'boolean' }] }
    const codec = avroCodecOfTexts([
      JSON.stringify({ type: 'array', items: { type: 'record', name: 'M', fields: [{ name: 'l', type: level }] } }),
    ])
    const values = Array.from({ length: 100_000 }, (_, index) => ({ l: { b: index % 3 === 0 } }))
    expect(codec.decode(codec.encode(values))).toEqual(values)
  })

  test('makes no more than a megabyte of its defaults', () => {
    const one = [{ name: 'n', type: 'int', default: 7 }]
    const few = avroCodecOfTexts([doubling(10, one, { default: {} })])
    expect(few.encode({})).toHaveLength(1_024)
    const many = avroCodecOfTexts([doubling(22, one, { default: {} })])
    expect(() => many.encode({})).toThrow('whose default in the schema is not such a value')
  })

  test('makes no more than 128 MiB of a text and its defaults', () => {
    const one = [{ name: 'n', type: 'int', default: 7 }]
    const schema = { type: 'array', items: JSON.parse(doubling(19, one, { default: {} })) }
    const codec = avroCodecOfTexts([JSON.stringify(schema)])
    expect(() => codec.encode(Array.from({ length: 1_000 }, () => ({})))).toThrow('at most 134217728 bytes in Avro')
  })
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

test('a codec works after it has refused something', () => {
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
