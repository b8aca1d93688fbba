import { describe, expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { avroCodec, avroCodecOfTexts } from '../../../lib/format/avro.ts'
import { codecOf, type Json } from '../../../lib/format/index.ts'
import { order, sample } from '../../support/format/avro/schemas.ts'
import { temporaryFolder } from '../../support/process/temporary-folder.ts'

function codecOfSchema(...schemas: unknown[]) {
  return avroCodecOfTexts(schemas.map((schema) => JSON.stringify(schema)))
}

test('values of all schemas survive bytes, JSON and text', () => {
  fc.assert(
    fc.property(sample, ({ schema, json }) => {
      const codec = codecOfSchema(schema)
      const bytes = codec.encode(json)
      expect(codec.decode(bytes)).toEqual(json)
      expect(codec.fromJson(json)).toEqual(json)
      expect(codec.encode(codec.fromText(codec.toText(json)))).toEqual(bytes)
      // A view into a larger buffer.
      const larger = Buffer.concat([Buffer.from([1]), bytes, Buffer.from([2])])
      expect(codec.decode(larger.subarray(1, -1))).toEqual(json)
    }),
  )
})

describe('a value that does not fit the schema is refused', () => {
  const time = { type: 'long', logicalType: 'timestamp-millis' }
  const decimal = { type: 'bytes', logicalType: 'decimal', precision: 4, scale: 2 }
  const cases: [unknown, Json, string][] = [
    ['null', 0, 'it must be null'],
    ['boolean', 'true', 'it must be true or false'],
    ['int', 2 ** 31, 'it must be a whole number of 32 bits'],
    ['int', 1.5, 'it must be a whole number of 32 bits'],
    ['long', 2 ** 53, 'it must be a whole number of 64 bits, beyond 2^53 as a decimal string'],
    ['long', '9223372036854775808', 'it must be a whole number of 64 bits, beyond 2^53 as a decimal string'],
    ['double', 'much', 'it must be a number, or "NaN", "Infinity" or "-Infinity"'],
    ['string', 7, 'it must be a string'],
    ['string', 'half \ud83d', 'it must be Unicode, and has half of a surrogate pair'],
    ['bytes', '?', 'it must be a string in base64'],
    [{ type: 'fixed', name: 'F', size: 2 }, 'AA==', 'it must be 2 bytes in base64, and has 1'],
    [{ type: 'enum', name: 'E', symbols: ['A', 'B'] }, 'C', 'it must be a symbol of enum E, such as A'],
    [{ type: 'array', items: 'int' }, {}, 'it must be an array'],
    [{ type: 'array', items: 'int' }, [1, 'x'], 'it must be a whole number of 32 bits, at [1]'],
    [{ type: 'map', values: 'int' }, [], 'it must be an object'],
    [time, 'yesterday', 'it must be a time, such as 2026-11-23T17:36:00Z'],
    [time, '2026-02-30T00:00:00Z', 'it must be a time, such as 2026-11-23T17:36:00Z'],
    [time, '2026-11-23T17:36:00', 'it must be a time, such as 2026-11-23T17:36:00Z'],
    [time, '2026-11-23T17:36:00.0001Z', 'it must have at most 3 digits after the point'],
    [{ type: 'int', logicalType: 'date' }, '2026-13-01', 'it must be a date, such as 2026-11-23'],
    [{ type: 'int', logicalType: 'time-millis' }, '24:00', 'it must be a time of day, such as 17:36:00'],
    [decimal, '1,5', 'it must be a decimal, such as "12.30"'],
    [decimal, '100.00', 'it must have at most 4 digits'],
    [decimal, '1.234', 'it must have at most 2 digits after the point'],
    [['null', 'long'], true, 'it must be one of null, long'],
    [['int', 'double'], 1, 'it must be one of {"int": …}, {"double": …}'],
  ]

  test.each(cases)('%j has no %j', (schema, json, expected) => {
    expect(() => codecOfSchema(schema).encode(json)).toThrow(new RegExp(`^${RegExp.escape(expected)}$`))
  })

  test('with the place where it is', () => {
    const codec = avroCodecOfTexts([order])
    expect(() => codec.fromJson({ id: 7, address: { city: 'Berlin', zip: 10 } })).toThrow(
      'it must be one of string, null, at address.zip',
    )
    expect(() => codec.fromJson({})).toThrow('it must have "id"')
    expect(() => codec.fromJson([])).toThrow('it must be an object, of record orders.v1.Order')
  })
})

test('members that a record does not have are omitted from values, and refused in the text of a key', () => {
  const codec = avroCodecOfTexts([order])
  expect(codec.encode({ id: 7, extra: true })).toEqual(codec.encode({ id: 7 }))
  expect(() => codec.fromText('{"id":7,"extra":true}')).toThrow(
    'it must have no "extra", which record orders.v1.Order does not have',
  )
})

test('a whole number in the text of a key keeps all its digits', () => {
  const codec = codecOfSchema({ type: 'record', name: 'K', fields: [{ name: 'id', type: 'long' }] })
  expect(codec.fromText('{"id":9223372036854775807}')).toEqual({ id: '9223372036854775807' })
  expect(codecOfSchema('long').fromText('-9223372036854775808')).toBe('-9223372036854775808')
})

test('times are accepted in other forms', () => {
  const codec = codecOfSchema({ type: 'long', logicalType: 'timestamp-micros' })
  const bytes = codec.encode('2026-11-23T17:36:00.5Z')
  expect(codec.encode('2026-11-23T18:36:00.500000+01:00')).toEqual(bytes)
  expect(codec.encode(codec.fromJson(Date.UTC(2026, 10, 23, 17, 36, 0, 500) * 1_000))).toEqual(bytes)
})

test('equal maps have equal bytes', () => {
  const codec = codecOfSchema({ type: 'map', values: 'int' })
  expect(codec.encode({ b: 1, a: 2 })).toEqual(codec.encode({ a: 2, b: 1 }))
})

test('a union names its branches when their values look alike', () => {
  const codec = codecOfSchema(['null', 'long', { type: 'map', values: 'string' }, 'string'])
  // {"long": "…"} could be a map.
  expect(codec.decode(codec.encode({ long: 7 }))).toEqual({ long: 7 })
  expect(codec.decode(codec.encode({ map: { long: '7' } }))).toEqual({ map: { long: '7' } })
  expect(codec.fromJson(null)).toBeNull()
})

test('a union of text has strings without quotation marks, when they cannot be confused with other values', () => {
  const codec = codecOfSchema(['null', 'long', 'string'])
  for (const json of ['plain', '7', 7, null, 'null', '9223372036854775807']) {
    expect(codec.fromText(codec.toText(json))).toEqual(json)
  }
  expect(codec.toText('plain')).toBe('plain')
  expect(codec.toText('7')).toBe('"7"')
})

test('a default in a later branch of its union is valid, and an invalid one is an error only where it is needed', () => {
  const field = { name: 'a', type: ['null', 'string'], default: 'late' }
  expect(codecOfSchema({ type: 'record', name: 'R', fields: [field] }).fromJson({})).toEqual({ a: 'late' })
  const bad = codecOfSchema({ type: 'record', name: 'R', fields: [{ name: 'a', type: 'int', default: 'none' }] })
  expect(bad.decode(bad.encode({ a: 7 }))).toEqual({ a: 7 })
  expect(() => bad.encode({})).toThrow('it must have "a", whose default in the schema is not such a value')
})

test('names are found in the namespace around them', () => {
  const address = { type: 'record', name: 'Address', fields: [{ name: 'city', type: 'string' }] }
  const schema = {
    type: 'record',
    name: 'shop.Order',
    fields: [
      { name: 'from', type: address },
      { name: 'to', type: 'Address' },
      { name: 'via', type: { type: 'array', items: 'shop.Address' } },
    ],
  }
  const json = { from: { city: 'Kiel' }, to: { city: 'Bonn' }, via: [{ city: 'Ulm' }] }
  expect(codecOfSchema(schema).fromJson(json)).toEqual(json)
})

test('a schema may use types of those before it', () => {
  const id = { type: 'fixed', name: 'shop.Id', size: 1 }
  expect(codecOfSchema(id, { type: 'array', items: 'shop.Id' }).fromJson(['AA=='])).toEqual(['AA=='])
})

describe('an invalid schema is refused', () => {
  const cases: [unknown, string][] = [
    [{}, 'a type has no "type": {}'],
    [7, 'a type is 7'],
    ['text', 'type "text" is not defined'],
    [{ type: 'record', name: 'R' }, 'record R has no array "fields"'],
    [{ type: 'record', fields: [] }, 'a type has no name: {"type":"record","fields":[]}'],
    [{ type: 'record', name: 'R', fields: [{ name: 'a' }] }, 'field a of record R has no "type"'],
    [{ type: 'record', name: 'R', fields: [{}] }, 'a field of record R has no name'],
    [
      {
        type: 'record',
        name: 'R',
        fields: [
          { name: 'a', type: 'int' },
          { name: 'a', type: 'int' },
        ],
      },
      'record R has two fields a',
    ],
    [{ type: 'array' }, 'an array has no "items"'],
    [{ type: 'map' }, 'a map has no "values"'],
    [{ type: 'enum', name: 'E', symbols: [] }, 'enum E has no distinct symbols'],
    [{ type: 'fixed', name: 'F', size: -1 }, 'fixed F has size -1'],
    [[], 'a union has no branches'],
    [['int', 'int'], 'a union has two branches int'],
    [['int', ['null']], 'a union has a union as its branch'],
    [['int', { type: 'fixed', name: 'int', size: 1 }], 'type int is defined twice'],
  ]

  test.each(cases)('%j', (schema, found) => {
    expect(() => codecOfSchema(schema)).toThrow(found)
  })

  test('however deep it is', () => {
    const deep = `${'{"type":"array","items":'.repeat(10_000)}"int"${'}'.repeat(10_000)}`
    expect(() => avroCodecOfTexts([deep])).toThrow('it is nested more than 200 deep')
  })
})

describe('a schema file', () => {
  const folder = temporaryFolder('avro')
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text)
    return { format: 'avro' as const, file: join(folder, name) }
  }

  test('makes a codec that has its name', () => {
    expect(codecOf(file('order.avsc', `\ufeff${order}`)).name).toBe('avro orders.v1.Order')
  })

  test('that is missing, too long or no schema is reported', () => {
    const code = { code: 'invalid_settings' }
    const missing = () => avroCodec({ file: join(folder, 'none.avsc') })
    expect(missing).toThrow(expect.objectContaining(code))
    expect(missing).toThrow('Making the codec of avro: none.avsc cannot be read: there is no such file (ENOENT)')
    expect(() => codecOf(file('bad.avsc', '{'))).toThrow('bad.avsc is not an Avro schema in JSON: it is not JSON')
    expect(() => codecOf(file('long.avsc', ' '.repeat(1_048_577)))).toThrow('it is longer than 1048576 bytes')
  })
})

test('adjacent values are not nested: there may be more of them than the maximum depth', () => {
  const arrays = codecOfSchema({ type: 'array', items: { type: 'array', items: 'int' } })
  const json: Json = Array.from({ length: 3000 }, (_, index) => [index])
  expect(arrays.decode(arrays.encode(json))).toEqual(json)
  const maps = codecOfSchema({ type: 'array', items: { type: 'map', values: 'int' } })
  const members: Json = Array.from({ length: 3000 }, (_, index) => ({ a: index }))
  expect(maps.decode(maps.encode(members))).toEqual(members)
  const records = codecOfSchema({
    type: 'array',
    items: { type: 'record', name: 'R', fields: [{ name: 'a', type: 'int' }] },
  })
  expect(records.decode(records.encode(members))).toEqual(members)
})

test.each(['float', 'double', 'int', 'boolean'])(
  'the buffer grows at any place when an array of %s is written',
  (items) => {
    const item: Json = items === 'boolean' ? true : 7
    // Two bytes of length, then items up to all places around the first end of the buffer.
    for (const before of ['', 'a', 'ab', 'abc', 'abcd', 'abcde', 'abcdef', 'abcdefg']) {
      const codec = codecOfSchema({
        type: 'record',
        name: 'R',
        fields: [
          { name: 'before', type: 'string' },
          { name: 'items', type: { type: 'array', items } },
        ],
      })
      const json: Json = { before, items: Array.from({ length: 1100 }, () => item) }
      expect(codec.decode(codec.encode(json))).toEqual(json)
    }
  },
)

test('a string keeps the mark that its bytes begin with', () => {
  const codec = codecOfSchema('string')
  expect(codec.decode(codec.encode('\ufeffa'))).toBe('\ufeffa')
})
