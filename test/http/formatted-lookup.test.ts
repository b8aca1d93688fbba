import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { type Definition, definitionOfFormats } from '../../lib/definition/index.ts'
import { type Codec, type FormatSpec, type Json, SchemaPending, type SimpleFormat } from '../../lib/format/index.ts'
import { problemOf, type Served, serveFake } from '../support/http/fake-store.ts'
import { hasHead, rawRequest } from '../support/http/raw-request.ts'

const reading = {
  format: 'protobuf',
  file: join(import.meta.dir, '../support/format/protobuf/protos/legacy.proto'),
  message: 'legacy.Reading',
} as const

const accepts = ['application/json', 'text/plain', 'application/octet-stream']

function definitionFor(key: SimpleFormat | FormatSpec, value: SimpleFormat | FormatSpec): Definition {
  const specOf = (format: SimpleFormat | FormatSpec) => (typeof format === 'string' ? { format } : format)
  return definitionOfFormats({ key: specOf(key), value: specOf(value), store: specOf(value) })
}

/** A store of one value, both written as JSON. */
function serveOne(definition: Definition, key: Json, value: Json): Served {
  const served = serveFake({}, definition)
  const bytesOf = (codec: Codec, json: Json) => codec.encode(codec.fromJson(json))
  served.store.put(bytesOf(definition.key, key), bytesOf(definition.value, value))
  return served
}

function get({ url }: Served, path: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${url}/stores/orders${path}`, { headers })
}

describe('GET /stores/<id>/<key> with a key format', () => {
  test.each([
    ['int64', '9223372036854775807', '/9223372036854775807'],
    ['int32', -7, '?key=-7'],
    ['uuid', '123e4567-e89b-12d3-a456-426614174000', '/123E4567-e89b-12d3-a456-426614174000'],
    ['uuid-binary', '123e4567-e89b-12d3-a456-426614174000', '/123e4567-e89b-12d3-a456-426614174000'],
    ['bytes', 'AP8=', '/00ff'],
    ['bytes', 'AP8=', '/base64url:AP8'],
    ['utf8', 'käse/1', '/k%C3%A4se/1'],
    ['json', { b: [1], a: 'x' }, '/{"b":[1], "a":"x"}'],
    ['json', { id: 7 }, `/${encodeURIComponent('{"id":7}')}`],
    ['json', { id: 7 }, '?key={"id":7}'],
    ['json', 'a b', '?key="a+b"'],
  ] as const)('the value is found when the %s %p is asked for as %p', async (format, key, path) => {
    await using served = serveOne(definitionFor(format, 'utf8'), key, 'found')
    expect(await (await get(served, path)).text()).toBe('"found"')
  })

  test('the value is found when the key is a message, addressed by its JSON', async () => {
    await using served = serveOne(definitionFor(reading, 'utf8'), { sensor: 'a', at: 7 }, 'found')
    for (const json of ['{"sensor":"a","at":7}', '{ "at": "7", "sensor": "a" }']) {
      expect(await (await get(served, `/${encodeURIComponent(json)}`)).text()).toBe('"found"')
    }
    const refused = await problemOf(await get(served, `/${encodeURIComponent('{"censor":"a"}')}`))
    expect(refused).toMatchObject({ code: 'invalid_key', status: 400 })
  })

  test('400 invalid_key says what is expected when the key is invalid', async () => {
    await using served = serveOne(definitionFor('int32', 'raw'), 1, 'AA==')
    const detail = 'Reading the key: it must be a whole number from -2147483648 to 2147483647'
    for (const path of ['/abc', '/2147483648', '?key=1.0', '/01', '/%00%00%00%01']) {
      expect(await problemOf(await get(served, path))).toMatchObject({ code: 'invalid_key', detail })
    }
    expect(await problemOf(await get(served, '/%FF'))).toMatchObject({
      code: 'invalid_key',
      detail: 'Reading the key: it must be UTF-8, percent-encoded',
    })
    expect(await problemOf(await get(served, '/'))).toMatchObject({ code: 'invalid_key' })
  })

  test('404 names the format of the key, and nothing of the key', async () => {
    await using served = serveOne(definitionFor('int64', 'raw'), 1, 'AA==')
    const problem = await problemOf(await get(served, '/4711'))
    expect(problem).toMatchObject({
      code: 'key_not_found',
      detail: 'Looking up the key: the store holds no record under it, read as int64',
    })
    expect(JSON.stringify(problem)).not.toContain('4711')
  })
})

describe('GET /stores/<id>/<key> with a value format', () => {
  test.each([
    ['*/*', 'application/json', '"9007199254740993"'],
    ['application/*', 'application/json', '"9007199254740993"'],
    ['text/plain', 'text/plain; charset=utf-8', '9007199254740993'],
    ['text/*;q=0.5, application/json;q=0.4', 'text/plain; charset=utf-8', '9007199254740993'],
    ['application/octet-stream', 'application/octet-stream', '\0 \0\0\0\0\0\x01'],
  ])('the representation is the one wanted when Accept is %p', async (accept, contentType, body) => {
    await using served = serveOne(definitionFor('utf8', 'int64'), 'a', '9007199254740993')
    const response = await get(served, '/a', { accept })
    expect(response.headers.get('content-type')).toBe(contentType)
    expect(response.headers.get('vary')).toBe('Accept')
    expect(await response.text()).toBe(body)
  })

  test('a message is served as JSON or as its unchanged bytes, as requested', async () => {
    const definition = definitionFor('utf8', reading)
    await using served = serveOne(definition, 'a', { sensor: 'a', at: '9007199254740993', samples: [1, 2] })
    const json = (await (await get(served, '/a')).json()) as Json
    expect(json).toMatchObject({ sensor: 'a', at: '9007199254740993', samples: [1, 2] })
    const bytes = await (await get(served, '/a', { accept: 'application/octet-stream' })).bytes()
    expect(definition.value.toJson(definition.value.decode(bytes))).toEqual(json)
    const text = await (await get(served, '/a', { accept: 'text/plain' })).text()
    expect(JSON.parse(text)).toEqual(json)
  })

  test('JSON is served as it is stored, every digit and space of it', async () => {
    await using served = serveFake({}, definitionFor('utf8', 'json'))
    served.store.put('a', '{"price": 1.50, "n": 90071992547409930 }')
    expect(await (await get(served, '/a')).text()).toBe('{"price": 1.50, "n": 90071992547409930 }')
  })

  test('406 names the available representations', async () => {
    await using served = serveOne(definitionFor('utf8', 'int64'), 'a', 1)
    for (const accept of ['text/html', 'application/json;q=0, image/*']) {
      expect(await problemOf(await get(served, '/a', { accept }))).toMatchObject({
        code: 'not_acceptable',
        status: 406,
        acceptable: accepts,
      })
    }
    const metrics = await (await fetch(`${served.url}/metrics`)).text()
    expect(metrics).toContain('latchkey_lookups_total{outcome="not_acceptable"} 2')
  })

  test('each representation has its own tag, and only that one is answered with 304', async () => {
    await using served = serveOne(definitionFor('utf8', 'utf8'), 'a', 'text')
    const responses = await Promise.all(accepts.map((accept) => get(served, '/a', { accept })))
    const tags = responses.map(({ headers }) => headers.get('etag')!)
    expect(new Set(tags).size).toBe(3)
    for (const [index, accept] of accepts.entries()) {
      for (const [tagIndex, tag] of tags.entries()) {
        const response = await get(served, '/a', { accept, 'if-none-match': `W/${tag}` })
        expect(response.status).toBe(index === tagIndex ? 304 : 200)
        expect(response.headers.get('etag')).toBe(tags[index]!)
        expect(response.headers.get('vary')).toBe('Accept')
      }
    }
  })

  test('the tag differs when another schema shows the same bytes differently', async () => {
    const value = new Uint8Array(8)
    const tagOf = async (format: SimpleFormat) => {
      await using served = serveFake({}, definitionFor('utf8', format))
      served.store.put('a', value)
      return (await get(served, '/a')).headers.get('etag')
    }
    expect(await tagOf('int64')).not.toBe(await tagOf('bytes'))
  })

  test.each(accepts)('HEAD has the headers of GET when Accept is %p', async (accept) => {
    await using served = serveOne(definitionFor('int64', reading), 7, { sensor: 'käse', at: 7 })
    const { headers } = await get(served, '/7', { accept })
    const request = `HEAD /stores/orders/7 HTTP/1.1\r\nHost: x\r\nAccept: ${accept}\r\n\r\n`
    const [head, body] = (await rawRequest(served.server.port, request, hasHead)).split('\r\n\r\n')
    expect(body).toBe('')
    const lines = head!.toLowerCase().split('\r\n')
    for (const [name, content] of headers) {
      if (name !== 'date') expect(lines).toContain(`${name}: ${content}`.toLowerCase())
    }
    expect(headers.get('content-length')).not.toBe('0')
  })

  test('500 value_undecodable names the place and shows nothing of the bytes', async () => {
    await using served = serveFake({}, definitionFor('utf8', 'int64'))
    served.store.put('a', 'secret')
    const response = await get(served, '/a')
    const problem = await problemOf(response)
    expect(problem).toMatchObject({ code: 'value_undecodable', status: 500, partition: 3, offset: 42 })
    expect(problem.detail).toContain('--rebuild')
    expect(JSON.stringify(problem)).not.toContain('secret')
    expect(await (await get(served, '/a', { accept: 'application/octet-stream' })).text()).toBe('secret')
  })

  test.each(['key', 'value'] as const)('the answer waits when a schema of the %s is still fetched', async (part) => {
    const schema = Promise.withResolvers<void>()
    const asked = Promise.withResolvers<void>()
    let isThere = false
    const definition = definitionFor('utf8', 'utf8')
    const whenThere = <A, R>(work: (given: A) => R) => {
      return (given: A): R => {
        asked.resolve()
        if (!isThere) throw new SchemaPending('schema 7', schema.promise)
        return work(given)
      }
    }
    const { decode, encode } = definition[part]
    const codec: Codec = { ...definition[part], decode: whenThere(decode), encode: whenThere(encode) }
    await using served = serveFake({}, { ...definition, [part]: codec })
    served.store.put('a', 'found')
    const pending = get(served, '/a')
    await asked.promise
    isThere = true
    schema.resolve()
    expect(await (await pending).text()).toBe('"found"')
  })
})

describe('GET /stores/<id>/<key> of raw values', () => {
  test.each([
    ['text/plain', 'text/plain; charset=utf-8'],
    ['application/octet-stream', 'application/octet-stream'],
    ['text/html', 'application/json'],
    ['*/*', 'application/json'],
  ])('only the content type differs when Accept is %p', async (accept, contentType) => {
    await using served = serveFake()
    served.store.put('a', '{"a": 1}')
    const plain = await get(served, '/a')
    const response = await get(served, '/a', { accept })
    expect(await response.text()).toBe('{"a": 1}')
    expect(response.headers.get('content-type')).toBe(contentType)
    for (const name of ['etag', 'vary', 'content-length']) {
      expect(response.headers.get(name)).toBe(plain.headers.get(name))
    }
    expect(plain.headers.get('vary')).toBe('Accept')
  })
})
