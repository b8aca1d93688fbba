import { describe, expect, test } from 'bun:test'
import { LatchkeyError } from '../../lib/errors.ts'
import { defineStore } from '../../lib/index.ts'
import { problemOf, serveFake } from '../support/http/fake-store.ts'
import { modes } from '../support/http/transports.ts'

const json = { 'content-type': 'application/json' }
const ndjson = { accept: 'application/x-ndjson' }
const utf8 = (text: string) => new TextEncoder().encode(text)

interface Many {
  epoch: number
  entries: Record<string, unknown>[]
  missing: Record<string, unknown>[]
}

async function manyOf(response: Response): Promise<Many> {
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json'])
  const many = (await response.json()) as Many
  expect(response.headers.get('x-latchkey-epoch')).toBe(String(many.epoch))
  return many
}

describe.each(modes)('many keys %s', (_, hasFastPath) => {
  const serve = (...[options, definition]: Parameters<typeof serveFake>) =>
    serveFake({ ...options, hasFastPath }, definition)

  const send = (url: string, method: string, body: unknown, headers = {}) =>
    fetch(`${url}/stores/orders`, { method, body: JSON.stringify(body), headers: { ...json, ...headers } })

  test('all are answered in the order asked when the query has them', async () => {
    await using served = serve()
    served.store.put('b', '{ "price": 1.50 }')
    served.store.put('a/1', 'no JSON', { offset: -1, timestamp: -1 })
    const response = await fetch(`${served.url}/stores/orders?keys=b&keys=c&keys=a%2F1`)
    expect(response.headers.get('accept-query')).toBe('application/json')
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(response.headers.get('vary')).toBe('Accept')
    expect(await response.text()).toBe(
      '{"epoch":42,"entries":[{"key":"b","value":{"price":1.50},"partition":3,"offset":42,"timestamp":1700000000000},' +
        '{"key":"a/1","valueBase64":"bm8gSlNPTg==","partition":3,"offset":null,"timestamp":null}],' +
        '"missing":[{"key":"c","code":"key_not_found","caughtUp":true}]}\n',
    )
  })

  test('a list of one is a list, and the key of no bytes is a key', async () => {
    await using served = serve()
    served.store.put('', '1')
    expect((await manyOf(await fetch(`${served.url}/stores/orders?keys=`))).entries).toMatchObject([
      { key: '', value: 1 },
    ])
  })

  test.each(['QUERY', 'POST'])('all are answered when the body of %s has them', async (method) => {
    await using served = serve()
    served.store.put('ä', '[1, 2]')
    served.store.put(new Uint8Array([0xff, 0]), '"x"')
    const many = await manyOf(await send(served.url, method, { keys: ['ä', { base64: '/wA=' }, 'none'] }))
    expect(many.entries).toMatchObject([
      { key: 'ä', value: [1, 2] },
      { key: { base64: '/wA=' }, value: 'x' },
    ])
    expect(many.missing).toEqual([{ key: 'none', code: 'key_not_found', caughtUp: true }])
    expect(await manyOf(await send(served.url, method, { keys: [] }))).toEqual({ epoch: 42, entries: [], missing: [] })
  })

  test('one line a key is answered when Accept asks for lines', async () => {
    await using served = serve()
    served.store.put('a', '1')
    served.store.state.caughtUp = false
    const response = await send(served.url, 'QUERY', { keys: ['none', 'a', '"'] }, ndjson)
    expect(response.headers.get('content-type')).toBe('application/x-ndjson')
    expect(response.headers.get('x-latchkey-epoch')).toBe('42')
    expect(await response.text()).toBe(
      '{"key":"none","code":"key_not_found","caughtUp":false}\n' +
        '{"key":"a","value":1,"partition":3,"offset":42,"timestamp":1700000000000}\n' +
        '{"key":"\\"","code":"key_not_found","caughtUp":false}\n',
    )
  })

  test('a replica says how far it is behind, and is left out beyond max-lag', async () => {
    await using served = serve()
    served.store.put('a', '1', { replicaLag: 7 })
    served.store.put('b', '1', { replicaLag: null })
    served.store.put('c', '1')
    served.store.state.details[1]!.role = 'replica'
    const url = `${served.url}/stores/orders?keys=a&keys=b&keys=c&keys=none`
    expect((await manyOf(await fetch(url))).entries).toMatchObject([
      { key: 'a', role: 'replica', lag: 7 },
      { key: 'b', role: 'replica', lag: null },
      { key: 'c' },
    ])
    const bounded = await manyOf(await fetch(`${url}&max-lag=7`))
    expect(bounded.entries).toMatchObject([{ key: 'a' }, { key: 'c' }])
    expect(bounded.missing).toEqual([
      { key: 'b', code: 'too_stale' },
      { key: 'none', code: 'key_not_found', caughtUp: true },
    ])
    const strict = await manyOf(await fetch(`${url}&max-lag=1`))
    expect(strict.missing.map(({ code }) => code)).toEqual(['too_stale', 'too_stale', 'too_stale'])
  })

  test('a reason is given for each key that is not known here', async () => {
    await using served = serve()
    served.store.put('a', '1')
    const get = served.store.onGet
    served.store.onGet = (key) => {
      if (key.length === 2) throw new LatchkeyError('partition_not_held', 'x', { details: { partition: 5, held: {} } })
      if (key.length === 3) throw new LatchkeyError('replica_recovering', 'x', { details: { partitions: [1] } })
      return get(key)
    }
    const { entries, missing } = await manyOf(await fetch(`${served.url}/stores/orders?keys=aa&keys=a&keys=aaa`))
    expect(entries).toHaveLength(1)
    expect(missing).toEqual([
      { key: 'aa', code: 'partition_not_held', partition: 5 },
      { key: 'aaa', code: 'replica_recovering' },
    ])
  })

  test('keys and values have the form of their formats', async () => {
    await using served = serve({}, defineStore({ key: 'int64', input: 'int32' }))
    served.store.put(new Uint8Array([0, 0, 0, 0, 0, 0, 0, 7]), new Uint8Array([0, 0, 0, 9]))
    served.store.put(new Uint8Array([0, 0, 0, 0, 0, 0, 0, 8]), utf8('no int32'))
    const many = await manyOf(await send(served.url, 'POST', { keys: ['7', 'x', { base64: 'AAAAAAAAAAc=' }, '8'] }))
    expect(many.entries).toMatchObject([
      { key: '7', value: 9 },
      { key: { base64: 'AAAAAAAAAAc=' }, value: 9 },
    ])
    expect(many.missing).toMatchObject([
      { key: 'x', code: 'invalid_key', detail: expect.stringContaining('Reading the key: ') },
      { key: '8', code: 'value_undecodable' },
    ])
  })

  test('an answer holds at least one value, and no more than its bound', async () => {
    await using served = serve()
    served.store.put('large', `"${'x'.repeat(17_000_000)}"`)
    served.store.put('half', `"${'x'.repeat(9_000_000)}"`)
    served.store.put('a', '1')
    const first = await manyOf(await fetch(`${served.url}/stores/orders?keys=large&keys=a`))
    expect(first.entries.map(({ key }) => key)).toEqual(['large'])
    expect(first.missing).toEqual([{ key: 'a', code: 'answer_full' }])
    const second = await manyOf(await fetch(`${served.url}/stores/orders?keys=half&keys=none&keys=half&keys=a`))
    expect(second.entries).toHaveLength(1)
    expect(second.missing.map(({ code }) => code)).toEqual(['key_not_found', 'answer_full', 'answer_full'])
  })

  test('503 is answered when nothing can be', async () => {
    await using served = serve()
    served.store.onRead = () => {
      throw new LatchkeyError('recovering', 'Reading store orders: it is recovering')
    }
    const response = await fetch(`${served.url}/stores/orders?keys=a`)
    expect(response.headers.has('retry-after')).toBeTrue()
    expect(await problemOf(response)).toMatchObject({ status: 503, code: 'recovering' })
    served.store.onRead = async () => {
      throw new LatchkeyError('readers_exhausted', 'Reading store orders: no reader is free')
    }
    expect(await problemOf(await send(served.url, 'POST', { keys: ['a'] }))).toMatchObject({
      code: 'readers_exhausted',
    })
  })

  test('the answer waits when no reader is free at once', async () => {
    await using served = serve()
    served.store.put('a', '1')
    const reader = Promise.withResolvers<void>()
    served.store.onRead = () => reader.promise
    const pending = fetch(`${served.url}/stores/orders?keys=a`)
    reader.resolve()
    expect((await manyOf(await pending)).entries).toHaveLength(1)
  })

  test('HEAD has the headers of GET and no body', async () => {
    await using served = serve()
    const response = await fetch(`${served.url}/stores/orders?keys=a`, { method: 'HEAD' })
    expect([response.status, response.headers.get('x-latchkey-epoch'), await response.text()]).toEqual([200, '42', ''])
  })

  test('each key is counted by its outcome', async () => {
    await using served = serve()
    served.store.put('a', '1')
    await fetch(`${served.url}/stores/orders?keys=a&keys=none&keys=a`)
    const metrics = await (await fetch(`${served.url}/metrics`)).text()
    expect(metrics).toContain('latchkey_lookups_total{outcome="found"} 2')
    expect(metrics).toContain('latchkey_lookups_total{outcome="not_found"} 1')
  })
})
