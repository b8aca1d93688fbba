import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { codecOf, type Json, simpleCodecs, type SimpleFormat, simpleFormats } from '../../../lib/format/index.ts'
import { jsonCodec } from '../../../lib/format/simple/json.ts'
import vectors from '../../support/format/java/vectors.json' with { type: 'json' }

const uuid = '123e4567-e89b-12d3-a456-426614174000'
const bytesOf = (text: string) => new TextEncoder().encode(text)

describe('what Kafka’s serializers write', () => {
  // Texts are shown escaped: one has the character 0, which makes a log a binary file.
  const shown = vectors.simple.map((vector) => [vector.format, JSON.stringify(vector.text), vector] as const)
  test.each(shown)('%s %s is read and written as they do', (_format, _text, { format, text, bytes }) => {
    const codec = codecOf({ format: format as SimpleFormat })
    const value = codec.decode(Uint8Array.fromHex(bytes))
    expect(codec.toText(value)).toBe(text)
    expect(codec.encode(codec.fromText(text))).toEqual(Uint8Array.fromHex(bytes))
  })
})

const values: { [F in SimpleFormat]: fc.Arbitrary<unknown> } = {
  raw: fc.uint8Array(),
  utf8: fc.string({ unit: 'binary' }),
  json: fc.jsonValue({ noUnicodeString: false }).filter(isExact),
  int32: fc.integer(),
  int64: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
  uuid: fc.uuid(),
  'uuid-binary': fc.uuid(),
  bytes: fc.uint8Array(),
}

describe.each([...simpleFormats])('%s', (format) => {
  const codec = simpleCodecs[format] as (typeof simpleCodecs)['json']
  const arbitrary = values[format] as fc.Arbitrary<Json>

  test('values survive bytes, JSON and text', () => {
    fc.assert(
      fc.property(arbitrary, (value) => {
        expect(codec.decode(codec.encode(value))).toEqual(value)
        expect(codec.fromJson(JSON.parse(JSON.stringify(codec.toJson(value))) as Json)).toEqual(value)
        // The text of raw bytes is only what of them is text.
        if (format !== 'raw') expect(codec.fromText(codec.toText(value))).toEqual(value)
      }),
    )
  })

  test('a value does not change with the bytes that it was decoded from', () => {
    fc.assert(
      fc.property(arbitrary, (value) => {
        const length = codec.encode(value).length + 5
        // A Buffer's slice is a view, other than that of a Uint8Array.
        for (const room of [new Uint8Array(length), Buffer.alloc(length)]) {
          const bytes = room.subarray(3, length - 2)
          bytes.set(codec.encode(value))
          const decoded = codec.decode(bytes)
          room.fill(0x31)
          expect(decoded).toEqual(value)
        }
      }),
    )
  })

  test('any decoded value survives another round trip, and nothing but an Error is thrown', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const value = attempt(() => codec.decode(bytes))
        if (value instanceof Error) return
        expect(codec.decode(codec.encode(value))).toEqual(value)
      }),
    )
  })
})

describe('refusals', () => {
  test.each([
    ['utf8', [0xc3, 0x28], 'the bytes are not UTF-8'],
    ['utf8', [0xed, 0xa0, 0x80], 'the bytes are not UTF-8'],
    ['json', [0xff], 'the bytes are not UTF-8'],
    ['json', [], 'it is not JSON: Unexpected EOF'],
    ['json', [...bytesOf('{"a":1')], "it is not JSON: Expected '}'"],
    ['json', [...bytesOf('hunter2')], 'it is not JSON: Unexpected identifier'],
    ['int32', [0, 0, 0], '3 bytes found, where 4 are expected'],
    ['int64', [0, 0, 0, 0], '4 bytes found, where 8 are expected'],
    ['uuid', [1, 2], '2 bytes found, where a UUID has 36 as text or 16'],
    ['uuid', [...bytesOf(uuid.replace('1', 'g'))], 'the bytes are not a UUID'],
    ['uuid-binary', [...bytesOf(uuid)], '36 bytes found, where a UUID has 16'],
  ] as const)('%s refuses the bytes %p', (format, bytes, found) => {
    expect(messageOf(() => codecOf({ format }).decode(new Uint8Array(bytes)))).toStartWith(found)
  })

  const int32 = 'it must be a whole number from -2147483648 to 2147483647'
  const int64 = 'it must be a whole number from -9223372036854775808 to 9223372036854775807'
  const hex = 'it must be hexadecimal digits, two for each byte, or "base64url:" and base64url'
  test.each([
    ['int32', '2147483648', int32],
    ['int32', '-0', int32],
    ['int32', '007', int32],
    ['int32', '1.0', int32],
    ['int32', '', int32],
    ['int32', 'seven', int32],
    ['int64', '9223372036854775808', int64],
    ['int64', '-9223372036854775809', int64],
    ['int64', '99999999999999999999999', int64],
    ['int64', ' 7', int64],
    ['int64', '0x7', int64],
    ['uuid', 'x', `it must be a UUID, such as ${uuid}`],
    ['uuid-binary', uuid.replaceAll('-', ''), `it must be a UUID, such as ${uuid}`],
    ['bytes', 'abc', hex],
    ['bytes', 'zz', hex],
    ['bytes', 'base64url:+/', hex],
    ['json', '{id:7}', 'it must be JSON, such as {"id":7} or "text" in quotation marks'],
    ['utf8', '\uD800', 'it must be Unicode, and has half of a surrogate pair'],
  ] as const)('%s refuses the text %p', (format, text, found) => {
    expect(messageOf(() => codecOf({ format }).fromText(text))).toBe(found)
  })

  test.each([
    ['utf8', 7, 'it must be a string'],
    ['utf8', null, 'it must be a string'],
    ['int32', 1.5, int32],
    ['int32', true, int32],
    ['int32', null, int32],
    ['int64', 2 ** 53, int64],
    ['int64', 1.5, int64],
    ['int64', [], int64],
    ['uuid', 7, `it must be a UUID, such as ${uuid}`],
    ['bytes', '!', 'it must be a string in base64'],
    ['bytes', 'A', 'it must be a string in base64, of whole bytes'],
    ['bytes', 7, 'it must be a string in base64'],
  ] as const)('%s refuses the JSON %p', (format, json, found) => {
    expect(messageOf(() => codecOf({ format }).fromJson(json))).toBe(found)
  })

  test('values from a program are checked before they are written', () => {
    expect(() => simpleCodecs.int32.encode(2 ** 31)).toThrow(int32)
    expect(() => simpleCodecs.int64.encode(2n ** 63n)).toThrow(int64)
    expect(() => simpleCodecs.int64.encode(7 as never)).toThrow(int64)
    expect(() => simpleCodecs.uuid.encode('x')).toThrow('it must be a UUID')
    expect(() => simpleCodecs.utf8.encode('\uDC00')).toThrow('surrogate')
    expect(() => simpleCodecs.json.encode({ a: Number.NaN })).toThrow('not finite')
    expect(() => simpleCodecs.json.encode({ a: 7n } as never)).toThrow('it must be JSON, and has a bigint')
    expect(() => simpleCodecs.json.encode([undefined] as never)).toThrow('it must be JSON, and has undefined')
  })
})

test('a 32-bit integer is read from a JSON number and from its text', () => {
  const { int32 } = simpleCodecs
  expect(int32.fromJson(5)).toBe(5)
  expect(int32.fromJson('5')).toBe(5)
  expect(int32.fromJson('-2147483648')).toBe(-(2 ** 31))
  for (const json of ['05', '2147483648', '', 'x', null, true, [5]]) {
    expect(() => int32.fromJson(json)).toThrow('it must be a whole number from -2147483648 to 2147483647')
  }
})

describe('forms', () => {
  test('a UUID is read as text and as 16 bytes, in upper and lower case', () => {
    const codec = simpleCodecs.uuid
    expect(codec.decode(Uint8Array.fromHex(uuid.replaceAll('-', '')))).toBe(uuid)
    expect(codec.decode(bytesOf(uuid.toUpperCase()))).toBe(uuid)
    expect(codec.encode(uuid.toUpperCase())).toEqual(bytesOf(uuid))
    expect(simpleCodecs['uuid-binary'].encode(uuid).toHex()).toBe(uuid.replaceAll('-', ''))
  })

  test('bytes are hexadecimal digits or base64url in a URL, and base64 in JSON', () => {
    const codec = simpleCodecs.bytes
    const bytes = new Uint8Array([0xfb, 0xff, 0])
    expect([codec.toText(bytes), codec.toJson(bytes)]).toEqual(['fbff00', '+/8A'])
    for (const text of ['fbff00', 'FBFF00', 'hex:fbff00', 'base64url:-_8A']) expect(codec.fromText(text)).toEqual(bytes)
    for (const json of ['+/8A', '-_8A']) expect(codec.fromJson(json)).toEqual(bytes)
    expect(codec.fromJson('_w')).toEqual(new Uint8Array([0xff]))
  })

  test('a number of 8 bytes is a string in JSON where a number would not be exact', () => {
    const codec = simpleCodecs.int64
    expect(codec.toJson(2n ** 53n - 1n)).toBe(9007199254740991)
    expect(codec.toJson(2n ** 53n)).toBe('9007199254740992')
    expect(codec.fromJson('7')).toBe(7n)
    expect(codec.fromJson(7)).toBe(7n)
  })

  test('raw bytes are any bytes', () => {
    expect(simpleCodecs.raw.toJson(new Uint8Array([0xff]))).toBe('/w==')
    expect(simpleCodecs.raw.fromText('é')).toEqual(new Uint8Array([0xc3, 0xa9]))
  })
})

/** What JSON text says is decoded to the same: -0 becomes 0, and large whole numbers strings. */
function isExact(json: unknown): boolean {
  return Bun.deepEquals(jsonCodec.fromText(JSON.stringify(json)), json, true)
}

function attempt<T>(action: () => T): T | Error {
  try {
    return action()
  } catch (error) {
    expect(error).toBeInstanceOf(Error)
    expect((error as Error).constructor).toBe(Error)
    return error as Error
  }
}

function messageOf(action: () => unknown): string {
  const result = attempt(action)
  if (result instanceof Error) return result.message
  throw new Error(`It was accepted: ${String(result)}`)
}
