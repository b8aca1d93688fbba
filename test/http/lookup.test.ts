import { describe, expect, test } from 'bun:test'
import { keyBytesMax } from '../../lib/http/key.ts'
import type { Lookup } from '../../lib/store-protocol/status.ts'
import { problemOf, serveFake } from '../support/http/fake-store.ts'
import { hasHead, rawRequest } from '../support/http/raw-request.ts'

describe('GET /stores/<id>/<key>', () => {
  test('a value is answered untouched when its key is held', async () => {
    await using served = serveFake()
    served.store.put('a', '{"price": 1.50 }')
    const response = await fetch(`${served.url}/stores/orders/a`)
    expect(response.status).toBe(200)
    expect(await response.text()).toBe('{"price": 1.50 }')
    expect(response.headers.get('content-type')).toBe('application/json')
    expect(response.headers.get('etag')).toMatch(/^"3\.42\.1700000000000\.\w+"$/)
    expect(response.headers.get('last-modified')).toBe('Tue, 14 Nov 2023 22:13:20 GMT')
    expect(response.headers.get('x-kafka-partition')).toBe('3')
    expect(response.headers.get('x-kafka-offset')).toBe('42')
    expect(response.headers.get('cache-control')).toBe('no-cache')
    expect(response.headers.get('content-length')).toBe('16')
  })

  test('offset and date are left out when the record has none', async () => {
    await using served = serveFake()
    served.store.put('a', '1', { offset: -1, timestamp: -1 })
    const { headers } = await fetch(`${served.url}/stores/orders/a`)
    expect(headers.has('x-kafka-offset')).toBeFalse()
    expect(headers.has('last-modified')).toBeFalse()
    expect(headers.get('x-kafka-partition')).toBe('3')
  })

  test('an empty value is 200 when the key has one', async () => {
    await using served = serveFake()
    served.store.put('a', '')
    const response = await fetch(`${served.url}/stores/orders/a`)
    expect([response.status, await response.text()]).toEqual([200, ''])
    expect(response.headers.get('content-length')).toBe('0')
    expect(response.headers.get('content-type')).toBe('application/json')
  })

  test('HEAD has the headers of GET and no body when the key is held', async () => {
    await using served = serveFake()
    served.store.put('a', '{"a":1}')
    const get = await fetch(`${served.url}/stores/orders/a`)
    const answer = await rawRequest(served.server.port, 'HEAD /stores/orders/a HTTP/1.1\r\nHost: x\r\n\r\n', hasHead)
    const [head, body] = answer.split('\r\n\r\n')
    expect(body).toBe('')
    const headers = new Headers(
      head!
        .split('\r\n')
        .slice(1)
        .map((line) => line.split(/: (.*)/).slice(0, 2)) as [string, string][],
    )
    for (const [name, value] of get.headers) {
      if (name !== 'date') expect([name, headers.get(name)]).toEqual([name, value])
    }
    expect(headers.get('content-length')).toBe('7')
  })

  test.each([
    ['a/b/c', 'a/b/c'],
    ['/', '/'],
    ['a%2Fb', 'a/b'],
    ['//x', '//x'],
    ['a%20b+c', 'a b+c'],
    ['k%C3%A4se', 'käse'],
    ['käse', 'käse'],
    ['%5C', '\\'],
    ['a%3Fb', 'a?b'],
    ['a%23b', 'a#b'],
    ['...', '...'],
    ['a;b=c,d', 'a;b=c,d'],
    ['"<>{}|^`', '"<>{}|^`'],
  ])('the key is found when the path has %p', async (path, key) => {
    await using served = serveFake()
    served.store.put(key, 'found')
    const request = `GET /stores/orders/${path} HTTP/1.1\r\nHost: x\r\n\r\n`
    expect(await rawRequest(served.server.port, request)).toEndWith('\r\n\r\nfound')
  })

  test('a key that is not UTF-8 is bytes', async () => {
    await using served = serveFake()
    served.store.put(new Uint8Array([0xff, 0, 0xc3]), 'found')
    expect(await (await fetch(`${served.url}/stores/orders/%FF%00%c3`)).text()).toBe('found')
  })

  test.each(['..', 'a/../b', '%2e%2e', '.', 'a/./b', '../../metrics'])(
    'the key %p is found when it is in the query, which keeps what a path does not',
    async (key) => {
      await using served = serveFake()
      served.store.put(decodeURIComponent(key), 'found')
      const response = await fetch(`${served.url}/stores/orders?key=${encodeURIComponent(decodeURIComponent(key))}`)
      expect(await response.text()).toBe('found')
      const slashed = await fetch(`${served.url}/stores/orders/?key=${key}`)
      expect(await slashed.text()).toBe('found')
      const bare = await fetch(`${served.url}/stores/orders?key=${key}&x=/`)
      expect(await bare.text()).toBe('found')
    },
  )

  test('a query does not matter when the path has the key', async () => {
    await using served = serveFake()
    served.store.put('a', 'found')
    expect(await (await fetch(`${served.url}/stores/orders/a?key=b&x/y`)).text()).toBe('found')
  })

  test('the key of no bytes is found when the query says so', async () => {
    await using served = serveFake()
    expect((await fetch(`${served.url}/stores/orders?key=`)).status).toBe(404)
    served.store.put('', 'found')
    expect(await (await fetch(`${served.url}/stores/orders?key=`)).text()).toBe('found')
  })

  test.each([
    ['/stores/orders/', 'it is empty'],
    ['/stores/orders?key', 'without a value'],
    ['/stores/orders?key=a&key=b', 'several'],
    ['/stores/orders/%zz', 'two hexadecimal digits'],
    ['/stores/orders/a%', 'two hexadecimal digits'],
    [`/stores/orders/${'x'.repeat(keyBytesMax + 1)}`, `longer than ${keyBytesMax} bytes`],
  ])('400 invalid_key is answered when the target is %p', async (target, detail) => {
    await using served = serveFake()
    const request = `GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`
    const answer = await rawRequest(served.server.port, request)
    expect(answer).toStartWith('HTTP/1.1 400 ')
    const problem = JSON.parse(answer.split('\r\n\r\n')[1]!)
    expect(problem).toMatchObject({ code: 'invalid_key', status: 400, title: 'Invalid key' })
    expect(problem.detail).toContain(detail)
  })

  test('404 key_not_found is answered when the store holds no such key', async () => {
    await using served = serveFake()
    const response = await fetch(`${served.url}/stores/orders/a`)
    expect(await problemOf(response)).toEqual({
      type: 'urn:latchkey:problem:key_not_found',
      title: 'Key not found',
      status: 404,
      detail: 'Looking up the key: the store holds no record under it',
      code: 'key_not_found',
      caughtUp: true,
    })
    expect(response.headers.has('retry-after')).toBeFalse()
  })

  test('404 reports that the store has not caught up', async () => {
    await using served = serveFake()
    served.store.state.caughtUp = false
    const response = await fetch(`${served.url}/stores/orders/a`)
    expect(await problemOf(response)).toMatchObject({ code: 'key_not_found', caughtUp: false })
    expect(response.headers.get('retry-after')).toBe('1')
  })

  test('404 names what has to be corrected, and does not ask to come again, when a partition has halted', async () => {
    await using served = serveFake()
    served.store.state.caughtUp = false
    const reason = 'orders partition 0: halted at offset 7, the key is null; set ON_BAD_RECORD=skip'
    served.store.state.conditions = [{ name: 'not_halted', ok: false, reason }]
    const response = await fetch(`${served.url}/stores/orders/a`)
    const found = 'Looking up the key: the store holds no record under it yet'
    expect(await problemOf(response)).toMatchObject({
      code: 'key_not_found',
      detail: `${found}; it does not catch up with the source topic: ${reason}`,
      caughtUp: false,
      halted: true,
    })
    expect(response.headers.has('retry-after')).toBeFalse()
  })

  test('404 store_not_found is answered when the store is another', async () => {
    await using served = serveFake()
    for (const path of ['/stores/prices/a', '/stores/', '/stores/%zz/a', '/stores/orders2?key=a']) {
      expect(await problemOf(await fetch(served.url + path))).toMatchObject({ code: 'store_not_found', status: 404 })
    }
  })

  test('the store is found when its id is percent-encoded without need', async () => {
    await using served = serveFake()
    served.store.put('a', 'found')
    expect(await (await fetch(`${served.url}/stores/%6frders/a`)).text()).toBe('found')
  })

  test('405 with Allow is answered when the method is another', async () => {
    await using served = serveFake()
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      const response = await fetch(`${served.url}/stores/orders/a`, { method })
      expect(response.headers.get('allow')).toBe('GET, HEAD')
      expect(await problemOf(response)).toMatchObject({ code: 'method_not_allowed', status: 405 })
    }
  })

  test('the answer waits when no reader is free at once', async () => {
    await using served = serveFake()
    const reader = Promise.withResolvers<Lookup | undefined>()
    served.store.onGet = () => reader.promise
    const pending = fetch(`${served.url}/stores/orders/a`)
    reader.resolve({ value: new TextEncoder().encode('late'), partition: 0, offset: 1, timestamp: 1 })
    expect(await (await pending).text()).toBe('late')
  })
})

describe('GET /stores/<id>/<key> with If-None-Match', () => {
  test.each([
    ['the tag', (etag: string) => etag],
    ['the weak tag', (etag: string) => `W/${etag}`],
    ['a list with the tag', (etag: string) => `"x", W/${etag}`],
    ['*', () => '*'],
  ])('304 repeats the tag when it is %s', async (_, ifNoneMatch) => {
    await using served = serveFake()
    served.store.put('a', '1')
    const etag = (await fetch(`${served.url}/stores/orders/a`)).headers.get('etag')!
    const response = await fetch(`${served.url}/stores/orders/a`, { headers: { 'if-none-match': ifNoneMatch(etag) } })
    expect([response.status, await response.text()]).toEqual([304, ''])
    expect(response.headers.get('etag')).toBe(etag)
    expect(response.headers.get('cache-control')).toBe('no-cache')
    expect(response.headers.has('content-type')).toBeFalse()
  })

  test('200 has another tag when the same record gives other bytes', async () => {
    await using served = serveFake()
    served.store.put('a', '1')
    const etag = (await fetch(`${served.url}/stores/orders/a`)).headers.get('etag')!
    served.store.put('a', '2')
    const response = await fetch(`${served.url}/stores/orders/a`, { headers: { 'if-none-match': etag } })
    expect([response.status, await response.text()]).toEqual([200, '2'])
    expect(response.headers.get('etag')).not.toBe(etag)
  })

  test('404 is answered for a missing key with any tag', async () => {
    await using served = serveFake()
    const response = await fetch(`${served.url}/stores/orders/a`, { headers: { 'if-none-match': '*' } })
    expect(response.status).toBe(404)
  })
})
