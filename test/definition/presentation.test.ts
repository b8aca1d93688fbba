import { describe, expect, test } from 'bun:test'
import { type Definition, definitionOfFormats } from '../../lib/definition/index.ts'
import { type Presentation, presentationOf } from '../../lib/definition/presentation.ts'
import { type Codec, SchemaPending, type SimpleFormat } from '../../lib/format/index.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

function presentationOfFormats(key: SimpleFormat, value: SimpleFormat): Presentation {
  const spec = { format: value }
  return presentationOf(definitionOfFormats({ key: { format: key }, value: spec, store: spec }))
}

function presentationOfCodec(codec: Codec, schemaWaitMs?: number): Presentation {
  const definition: Definition = { key: codec, input: codec, value: codec, isPlain: false, keepsBytes: true }
  return presentationOf(definition, schemaWaitMs === undefined ? {} : { schemaWaitMs })
}

/** A codec of text whose schemas are there once their promises have resolved, one after the other. */
function pendingCodec(...schemas: Promise<void>[]): Codec<string> {
  let missing = schemas.length
  const came = () => void missing--
  for (const schema of schemas) void schema.then(came)
  const whenThere = <T>(value: T): T => {
    if (missing > 0) throw new SchemaPending('schema 7', schemas[schemas.length - missing]!)
    return value
  }
  return {
    name: 'pending',
    decode: (bytes) => whenThere(decoder.decode(bytes)),
    encode: (text) => whenThere(encoder.encode(text)),
    toJson: (text) => text,
    fromJson: String,
    toText: (text) => text,
    fromText: (text) => text,
  }
}

function keyBytes(format: SimpleFormat, text: string): Uint8Array {
  const key = presentationOfFormats(format, 'raw').keyOf(encoder.encode(text))
  if (key instanceof Promise) throw new Error('There is no schema to wait for')
  return key
}

describe('keys', () => {
  test.each([
    ['raw', '\u{e4}/b', 'c3a42f62'],
    ['utf8', '\u{e4}/b', 'c3a42f62'],
    ['int32', '-2', 'fffffffe'],
    ['int64', '9223372036854775807', '7fffffffffffffff'],
    ['uuid-binary', '123e4567-E89B-12d3-a456-426614174000', '123e4567e89b12d3a456426614174000'],
    ['bytes', '00ff', '00ff'],
    ['bytes', 'base64url:AP8', '00ff'],
    ['json', '{"b": 1, "a": [true]}', Buffer.from('{"a":[true],"b":1}').toString('hex')],
  ] as const)(
    '%s: the text %p is the bytes %p, and the text of these bytes is the same bytes',
    (format, text, expected) => {
      const bytes = keyBytes(format, text)
      expect(bytes.toHex()).toBe(expected)
      const shown = presentationOfFormats(format, 'raw').keyText(bytes) as Uint8Array
      expect(keyBytes(format, decoder.decode(shown)).toHex()).toBe(expected)
    },
  )

  test.each([
    ['int32', 'abc', 'it must be a whole number from -2147483648 to 2147483647'],
    ['int32', '2147483648', 'it must be a whole number from -2147483648 to 2147483647'],
    ['int64', '1.5', 'it must be a whole number from -9223372036854775808 to 9223372036854775807'],
    ['uuid', '1', 'it must be a UUID, such as 123e4567-e89b-12d3-a456-426614174000'],
    ['bytes', 'xyz', 'it must be hexadecimal digits, two for each byte, or "base64url:" and base64url'],
    ['json', '{secret', 'it must be JSON, such as {"id":7} or "text" in quotation marks'],
  ] as const)('%s: %p is refused with what is expected', (format, text, expected) => {
    expect(() => keyBytes(format, text)).toThrow(
      expect.objectContaining({ code: 'invalid_key', message: `Reading the key: ${expected}` }),
    )
  })

  test('text that is not UTF-8 is refused, never replaced; raw bytes pass', () => {
    const bytes = new Uint8Array([0x61, 0xff])
    const code = { code: 'invalid_key', message: 'Reading the key: it must be UTF-8, percent-encoded' }
    expect(() => presentationOfFormats('utf8', 'raw').keyOf(bytes)).toThrow(expect.objectContaining(code))
    expect(presentationOf(undefined).keyOf(bytes)).toBe(bytes)
    expect(presentationOf(undefined).keyText(bytes)).toBe(bytes)
  })

  test('a byte order mark is a part of the key', () => {
    expect(keyBytes('utf8', '\u{feff}a').toHex()).toBe('efbbbf61')
  })

  test('the message of a codec about a key is cut', () => {
    const codec = {
      ...pendingCodec(),
      fromText: () => {
        throw new Error('x'.repeat(5_000))
      },
    }
    const refusal = expect.objectContaining({ code: 'invalid_key', message: `Reading the key: ${'x'.repeat(300)}` })
    expect(() => presentationOfCodec(codec).keyOf(new Uint8Array(1))).toThrow(refusal)
  })
})

describe('values', () => {
  const stored = { value: encoder.encode('{"a": 1}'), partition: 3, offset: 42 }

  test('raw values are the stored bytes in each representation', () => {
    for (const presentation of [presentationOf(undefined), presentationOfFormats('int32', 'raw')]) {
      expect(presentation.hasRawValues).toBeTrue()
      for (const as of ['json', 'text', 'bytes'] as const) expect(presentation.render(stored, as)).toBe(stored.value)
    }
  })

  test('JSON text is served as it is stored', () => {
    const presentation = presentationOfFormats('raw', 'json')
    expect(presentation.hasRawValues).toBeFalse()
    expect(presentation.render(stored, 'json')).toBe(stored.value)
    expect(presentation.render(stored, 'text')).toBe('{"a":1}')
    const marked = { ...stored, value: encoder.encode('\uFEFF{"a": 1}') }
    expect(presentation.render(marked, 'json')).toEqual(stored.value)
    expect(presentation.render(marked, 'bytes')).toBe(marked.value)
  })

  test.each([
    ['utf8', '610a', '"a\\n"', 'a\n'],
    ['int32', 'fffffffe', '-2', '-2'],
    ['int64', '001fffffffffffff', '9007199254740991', '9007199254740991'],
    ['int64', '0020000000000000', '"9007199254740992"', '9007199254740992'],
    [
      'uuid-binary',
      '123e4567e89b12d3a456426614174000',
      '"123e4567-e89b-12d3-a456-426614174000"',
      '123e4567-e89b-12d3-a456-426614174000',
    ],
    ['bytes', '00ff', '"AP8="', '00ff'],
  ] as const)('%s: the bytes %p are %p in JSON and %p as text', (format, hex, json, text) => {
    const value = Uint8Array.fromHex(hex)
    const presentation = presentationOfFormats('raw', format)
    expect(presentation.render({ ...stored, value }, 'json')).toBe(json)
    expect(presentation.render({ ...stored, value }, 'text')).toBe(text)
    expect(presentation.render({ ...stored, value }, 'bytes')).toBe(value)
  })

  test.each([
    ['does not decode', {}],
    ['gives no JSON', { decode: () => '', toJson: () => undefined as never }],
    ['gives what JSON does not have', { decode: () => '', toJson: () => 1n as never }],
  ])('a codec that %s is reported with the place, never with the bytes', (_, parts) => {
    const codec: Codec = {
      ...pendingCodec(),
      name: 'int7',
      decode: (bytes) => {
        throw new Error(decoder.decode(bytes))
      },
      ...parts,
    }
    const refusal = expect.objectContaining({
      code: 'value_undecodable',
      message:
        "Rendering the value of partition 3, source offset 42: its bytes are not valid int7; perhaps the store's format has changed since it was stored; start with --rebuild to store all values again",
      details: { partition: 3, offset: 42 },
    })
    expect(() => presentationOfCodec(codec).render(stored, 'json')).toThrow(refusal)
    expect(presentationOfCodec(codec).render(stored, 'bytes')).toBe(stored.value)
  })

  test('an unknown offset is not reported', () => {
    const presentation = presentationOfFormats('raw', 'int32')
    const refusal = expect.objectContaining({ details: { partition: 3, offset: null } })
    expect(() => presentation.render({ ...stored, offset: -1 }, 'json')).toThrow(refusal)
  })
})

describe('schemas that are fetched', () => {
  const stored = { value: encoder.encode('a'), partition: 0, offset: 0 }

  test('a lookup retries when each schema has come', async () => {
    const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const presentation = presentationOfCodec(pendingCodec(first.promise, second.promise))
    const answers = [
      presentation.render(stored, 'json'),
      presentation.keyOf(stored.value),
      presentation.keyText(stored.value),
    ]
    for (const answer of answers) expect(answer).toBeInstanceOf(Promise)
    first.resolve()
    await Promise.resolve()
    second.resolve()
    expect(await Promise.all(answers)).toEqual(['"a"', stored.value, stored.value])
    expect(presentation.render(stored, 'json')).toBe('"a"')
  })

  test('a schema that does not come is 503, and a later lookup waits again', async () => {
    const schema = Promise.withResolvers<void>()
    const presentation = presentationOfCodec(pendingCodec(schema.promise), 20)
    const refusal = { code: 'schema_unavailable', message: expect.stringContaining('schema 7 is being fetched') }
    const waiting = Promise.resolve(presentation.render(stored, 'json'))
    await expect(waiting).rejects.toMatchObject(refusal)
    const later = presentation.render(stored, 'json')
    schema.resolve()
    expect(await later).toBe('"a"')
  })

  test('a codec that always waits is called a bounded number of times', async () => {
    let asked = 0
    const codec: Codec = {
      ...pendingCodec(),
      decode() {
        asked++
        throw new SchemaPending('schema 8', Promise.resolve())
      },
    }
    const answer = Promise.resolve(presentationOfCodec(codec).render(stored, 'json'))
    await expect(answer).rejects.toMatchObject({ code: 'schema_unavailable' })
    expect(asked).toBe(21)
  })

  test('a schema that fails in the end is reported as an error', async () => {
    const schema = Promise.withResolvers<void>()
    let isThere = false
    const codec: Codec = {
      ...pendingCodec(),
      decode() {
        if (isThere) throw new Error('schema 7 is none')
        throw new SchemaPending('schema 7', schema.promise)
      },
    }
    const answer = Promise.resolve(presentationOfCodec(codec).render(stored, 'json'))
    isThere = true
    schema.resolve()
    await expect(answer).rejects.toMatchObject({ code: 'value_undecodable' })
  })
})
