/** What a message leaves out where the library's default is of another type than its values. */
import { afterAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { codecOf, type Json } from '../../../lib/format/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'latchkey-defaults-'))
afterAll(() => rmSync(folder, { recursive: true }))

let files = 0

/** Of the message A. */
function codecOfText(text: string) {
  const file = join(folder, `${files++}.proto`)
  writeFileSync(file, text)
  return codecOf({ format: 'protobuf', file, message: 'A' })
}

const proto3 = codecOfText(`syntax = "proto3";
  import "google/protobuf/any.proto"; import "google/protobuf/empty.proto"; import "google/protobuf/wrappers.proto";
  message A {
    google.protobuf.BytesValue wrapped = 1;
    map<string, bytes> values = 2;
    map<int64, bytes> numbered = 3;
    repeated B many = 4;
    google.protobuf.Any any = 5;
    google.protobuf.Int64Value long = 6;
    google.protobuf.Empty empty = 7;
    oneof choice { bytes one = 8; google.protobuf.BytesValue other = 9; }
    optional bytes maybe = 10;
    map<uint64, bytes> unsigned = 11;
    map<sint64, bytes> signed = 12;
  }
  message B { bytes b = 1; map<string, B> inner = 2; google.protobuf.BytesValue wrapped = 3; }`)

const vectors: [what: string, hex: string, json: Json][] = [
  ['a wrapper', '0a00', { wrapped: '' }],
  ['a wrapper that says its default', '0a020a00', { wrapped: '' }],
  ['a value of a map', '12030a0161', { values: { a: '' } }],
  ['an entry of a map', '1200', { values: { '': '' } }],
  ['a key of 64 bits', '1a03120178', { numbered: { '0': 'eA==' } }],
  ['both of an entry with a key of 64 bits', '1a00', { numbered: { '0': '' } }],
  ['a repeated message', '2200', { many: [{}] }],
  ['a message in a map in one', '220512030a0161', { many: [{ inner: { a: {} } }] }],
  ['a wrapper in one', '22021a00', { many: [{ wrapped: '' }] }],
  ['an Any of nothing', '2a00', { any: {} }],
  ['a wrapper of 64 bits', '3200', { long: 0 }],
  ['a choice', '4200', { one: '' }],
  ['a choice of a wrapper', '4a00', { other: '' }],
  ['an optional field', '5200', { maybe: '' }],
]

test.each(vectors)('%s without its bytes is read', (_, hex, json) => {
  const decoded = proto3.decode(Uint8Array.fromHex(hex))
  expect(decoded).toEqual(json)
  expect(proto3.decode(proto3.encode(decoded))).toEqual(json)
  expect(proto3.fromJson(json)).toEqual(json)
})

test('an Any of a message that is not known shows no bytes where there are none', () => {
  expect(proto3.decode(Uint8Array.fromHex('2a050a03782f79'))).toEqual({ any: { '@type': 'x/y', value: '' } })
})

test('keys of 64 bits are signed or not, as their type says', () => {
  const json = { unsigned: { '18446744073709551615': 'eA==' }, signed: { '-1': 'eQ==', '-9223372036854775808': '' } }
  expect(proto3.fromJson(json)).toEqual(json)
})

test('a key of 64 bits whose bytes are digits is the number that it is', () => {
  const json = { numbered: { '4050765991979987505': 'eA==', '12345678': 'eQ==' } }
  expect(proto3.fromJson(json)).toEqual(json)
  expect(proto3.decode(Uint8Array.fromHex('1a0d08b1e4cca1d3c6cd9b38120178'))).toEqual({
    numbered: { '4050765991979987505': 'eA==' },
  })
})

describe('a group that is not known is passed over', () => {
  test.each([
    ['in a message of no fields', '3a08fb0708010b0cfc07', { empty: {} }],
    ['in a message of fields', 'fb0708010b0cfc075200', { maybe: '' }],
  ])('%s', (_, hex, json) => {
    expect(proto3.decode(Uint8Array.fromHex(hex))).toEqual(json)
  })

  test.each([
    ['that does not end', '3a03fb0708'],
    ['that another number ends', '3a04fb07f407'],
    ['within which another number ends one', '3a08fb070b140cfc07'],
    [
      'of as many as there may be, each of which might be read in two ways',
      `3ac701${'db01'.repeat(50)}14${'dc01'.repeat(49)}`,
    ],
  ])('but not one %s', (_, hex) => {
    expect(() => proto3.decode(Uint8Array.fromHex(hex))).toThrow('it is not a valid A')
  })
})

test('a message that a map leaves out has what is required of it, or is refused', () => {
  const proto2 = codecOfText(`syntax = "proto2";
    message A { map<int32, R> needing = 1; }
    message R { required int32 r = 1; }`)
  expect(() => proto2.decode(Uint8Array.fromHex('0a00'))).toThrow("it is not a valid A: missing required 'r'")
  expect(proto2.decode(Uint8Array.fromHex('0a0412020801'))).toEqual({ needing: { '0': { r: 1 } } })
})
