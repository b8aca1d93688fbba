import { expect, test } from 'bun:test'
import { pathToFileURL } from 'node:url'
import * as v from 'valibot'
import { type CodecSource, defineStore, json, type OwnCodec, registry } from '../../lib/definition/index.ts'

const secret = 'hunter2'
const text = (value: string) => Buffer.from(value)

test('the module is the caller’s, unless another one is named', () => {
  const here = pathToFileURL(import.meta.path).href
  expect(defineStore({ key: 'utf8', input: 'json' }).module).toBe(here)
  expect(defineStore({ key: 'utf8', input: 'json', module: 'file:///other.ts' }).module).toBe('file:///other.ts')
})

test('bytes are passed through when input and value are the same and nothing validates or converts them', () => {
  const keepsBytes = (input: CodecSource, value?: CodecSource, convert?: (it: unknown) => unknown) =>
    defineStore({ key: 'utf8', input, ...(value && { value }), ...(convert && { convert }) } as never).keepsBytes
  expect(keepsBytes('json')).toBe(true)
  expect(keepsBytes('json', 'json')).toBe(true)
  expect(keepsBytes(json(), json())).toBe(true)
  expect(keepsBytes('json', 'utf8', String)).toBe(false)
  expect(keepsBytes('json', 'json', (it) => it)).toBe(false)
  class Own {
    readonly #prefix: string
    constructor(prefix: string) {
      this.#prefix = prefix
    }
    decode = (bytes: Uint8Array): string => this.#prefix + Buffer.from(bytes).toString()
    encode = (it: string): Uint8Array => text(it.slice(this.#prefix.length))
  }
  const own = new Own('a')
  expect(keepsBytes(own)).toBe(true)
  expect(keepsBytes(own, new Own('b'))).toBe(false)
  // What a schema gives may differ from what it was given.
  expect(keepsBytes(v.object({}))).toBe(false)
})

test('a definition without checks is plain', () => {
  expect(defineStore({ key: 'raw', input: 'raw' }).isPlain).toBe(true)
  expect(defineStore({ key: 'raw', input: 'raw', onNew: () => {} }).isPlain).toBe(false)
  expect(defineStore({ key: 'utf8', input: 'raw' }).isPlain).toBe(false)
})

test('the wire format of a registry is described without a request to it', () => {
  const input = registry({ kind: 'avro', url: 'http://127.0.0.1:1', credentials: { user: 'a', password: secret } })
  const definition = defineStore({ key: 'utf8', input, value: 'json', convert: (it) => it })
  expect(definition.input.name).toContain('avro')
  expect(JSON.stringify(definition)).not.toContain(secret)
})

test('a schema validates the input, and its output is the value', () => {
  const { input, key } = defineStore({
    key: { format: 'utf8', schema: v.pipe(v.string(), v.uuid()) },
    input: v.object({ name: v.pipe(v.string(), v.trim()), count: v.optional(v.number(), 0) }),
  })
  expect(input.decode(text('{"name":" a ","other":1}'))).toEqual({ name: 'a', count: 0 })
  expect(() => input.decode(text('{"name":7}'))).toThrow('name: expected string, found number')
  expect(() => key.encode(key.fromText('a'))).toThrow('expected uuid')
})

test('a schema validates a value when it is stored', () => {
  const { value } = defineStore({ key: 'utf8', input: v.object({ id: v.string(), count: v.optional(v.number(), 0) }) })
  expect(Buffer.from(value.encode({ id: 'a' } as never)).toString()).toBe('{"id":"a","count":0}')
  expect(() => value.encode({ count: 1 } as never)).toThrow('id: it is missing')
  // Stored under an earlier schema.
  expect(value.decode(text('{"id":"a"}'))).toEqual({ id: 'a', count: 0 })
  expect(value.decode(text('{"name":"a"}')) as unknown).toEqual({ name: 'a' })
})

test.each<[string, v.GenericSchema, unknown, string]>([
  [
    'a member',
    v.object({ a: v.object({ b: v.number() }) }),
    { a: { b: secret } },
    'a.b: expected number, found string',
  ],
  ['an element', v.array(v.object({ b: v.number() })), [{ b: 1 }, { b: null }], '[1].b: expected number, found null'],
  ['nothing', v.object({ 'a b': v.string() }), {}, '["a b"]: it is missing'],
  ['the whole', v.object({ a: v.string() }), secret, 'expected Object, found string'],
  [
    'a check',
    v.object({
      a: v.pipe(
        v.string(),
        v.check(() => false),
      ),
    }),
    { a: secret },
    "a: it does not pass the schema's check",
  ],
  [
    'a check that says why',
    v.pipe(
      v.string(),
      v.check(() => false, 'must be an IBAN'),
    ),
    secret,
    'must be an IBAN',
  ],
  ['a bound', v.object({ a: v.pipe(v.number(), v.minValue(3)) }), { a: 2 }, 'a: expected min_value >=3'],
  [
    'a choice',
    v.object({ a: v.picklist(['x', 'y']) }),
    { a: secret },
    'a: expected ("x" | "y"), found another value (string)',
  ],
  ['a stranger', v.strictObject({}), { stranger: secret }, 'stranger: the schema has no such member'],
])('the error of a schema about %s is one line without the value', (_, schema, value, found) => {
  const { input } = defineStore({ key: 'utf8', input: schema })
  let message = ''
  try {
    input.decode(text(JSON.stringify(value)))
  } catch (error) {
    message = (error as Error).message
  }
  expect(message).toBe(found)
  expect(message).not.toContain(secret)
})

const dates: OwnCodec<Date> = {
  decode: (bytes) => new Date(Number(Buffer.from(bytes).toString())),
  encode: (date) => Buffer.from(String(date.getTime())),
}

test('methods that a custom codec omits are completed', () => {
  const { input } = defineStore({ key: 'utf8', input: dates })
  const date = input.decode(text('86400000'))
  expect(input.name).toBe('own')
  expect(input.toJson(date)).toBe('1970-01-02T00:00:00.000Z')
  expect(input.toText(date)).toBe('1970-01-02T00:00:00.000Z')
})

test('values that JSON does not have are shown as formats show them', () => {
  const codec: OwnCodec = { decode: () => 0, encode: () => text('') }
  const { input } = defineStore({ key: 'utf8', input: codec })
  expect(input.toJson({ big: 2n ** 60n, small: 2n, bytes: text('a'), gone: undefined })).toEqual({
    big: '1152921504606846976',
    small: 2,
    bytes: 'YQ==',
  })
  expect(() => input.toJson(undefined)).toThrow('undefined cannot be shown as JSON')
})

test('text in a URL is the key itself for string codecs, else it is JSON', () => {
  const upper: OwnCodec<string> = { decode: (bytes) => Buffer.from(bytes).toString(), encode: (key) => text(key) }
  const numbers: OwnCodec<number> = {
    decode: (bytes) => bytes[0]!,
    encode: (key) => Uint8Array.of(key),
  }
  expect(defineStore({ key: upper, input: 'json' }).key.fromText('7')).toBe('7')
  expect(defineStore({ key: numbers, input: 'json' }).key.fromText('7')).toBe(7)
  expect(() => defineStore({ key: numbers, input: 'json' }).key.fromText('seven')).toThrow('it must be JSON')
})

test('bytes that a custom codec keeps are copies', () => {
  const { input } = defineStore({
    key: 'utf8',
    input: { decode: (bytes: Uint8Array) => bytes, encode: (bytes: Uint8Array) => bytes },
  })
  const buffer = Uint8Array.of(1, 2)
  const kept = input.decode(buffer)
  buffer.fill(9)
  expect([...kept]).toEqual([1, 2])
})

test.each<[string, OwnCodec, (codec: OwnCodec) => unknown, string]>([
  [
    'no bytes',
    { decode: () => 1, encode: () => 'text' as never },
    (codec) => codec.encode(1),
    'encode returned a string',
  ],
  [
    'a promise of bytes',
    { decode: () => 1, encode: (async () => text('')) as never },
    (codec) => codec.encode(1),
    'encode returned a promise: it must be synchronous',
  ],
  [
    'a promise of a value',
    { decode: async () => 1, encode: () => text('') },
    (codec) => codec.decode(text('')),
    'decode returned a promise: it must be synchronous',
  ],
])('a custom codec that returns %s is an error', (_, own, use, found) => {
  const { input } = defineStore({ key: 'utf8', input: own })
  expect(() => use(input)).toThrow(found)
})

test.each<[string, unknown, string]>([
  ['nothing', undefined, 'it is given nothing: it must be an object'],
  ['no key', { input: 'json' }, 'key is missing: it must be one of raw, utf8,'],
  ['a number', { key: 7, input: 'json' }, 'key is a number: it must be one of raw, utf8,'],
  ['half a codec', { key: 'utf8', input: { decode: () => 1 } }, 'input: encode is missing: input must be one of'],
  [
    'a wrong toJson',
    { key: 'utf8', input: { ...dates, toJson: 1 } },
    'input: toJson is a number: it must be a function',
  ],
  [
    'a helper’s name',
    { key: 'utf8', input: 'protobuf' },
    'input: "protobuf" needs options: protobuf({ … }), imported from latchkey',
  ],
  ['a wrong function', { key: 'utf8', input: 'json', onNew: {} }, 'onNew is an object: it must be a function'],
  [
    'no schema',
    { key: 'utf8', input: { format: 'json', schema: {} } },
    'input: schema is an object: it must be a valibot schema',
  ],
  ['an async schema', { key: 'utf8', input: v.objectAsync({}) }, 'input: the schema is async: it must be synchronous'],
  [
    'an unknown format',
    { key: 'utf8', input: { format: 'Json' } },
    'input: there is no format "Json": did you mean "json"?',
  ],
])('%s is not a definition', (_, options, found) => {
  expect(() => defineStore(options as never)).toThrow(`Defining the store: ${found}`)
})
