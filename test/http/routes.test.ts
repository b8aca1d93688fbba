import { describe, expect, test } from 'bun:test'
import { definitionOfFormats } from '../../lib/definition/index.ts'
import { problemOf, serveFake } from '../support/http/fake-store.ts'
import { hasHead, rawRequest } from '../support/http/raw-request.ts'

describe('routes', () => {
  test('the index lists every endpoint when / is asked for', async () => {
    await using served = serveFake()
    const response = await fetch(served.url)
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    const text = await response.text()
    for (const path of [
      '/stores/orders/<key>',
      '/status-store/orders',
      '/flush-store/orders',
      '/livez',
      '/readyz',
      '/metrics',
    ]) {
      expect(text).toContain(path)
    }
    const rows = text.split('\n').filter((line) => /^(GET|POST) /.test(line))
    expect(new Set(rows.map((row) => row.search(/(?<= {2,})\S(?!.* {2})/))).size).toBe(1)
  })

  test('the index names formats when there are any', async () => {
    const json = { format: 'json' } as const
    await using served = serveFake({}, definitionOfFormats({ key: { format: 'int64' }, value: json, store: json }))
    const text = await (await fetch(served.url)).text()
    expect(text).toContain('Keys    int64\nValues  json, as the Accept header asks: application/json, text/plain')
    await using raw = serveFake()
    expect(await (await fetch(raw.url)).text()).not.toContain('Keys')
  })

  test('the status is JSON by default', async () => {
    await using served = serveFake()
    const response = await fetch(`${served.url}/status-store/orders`)
    expect(response.headers.get('content-type')).toBe('application/json')
    expect(response.headers.get('cache-control')).toBe('no-store')
    const status = (await response.json()) as Record<string, unknown>
    expect(status).toEqual(JSON.parse(JSON.stringify(served.store.state)))
    expect(status).toMatchObject({
      id: 'orders',
      formats: { key: 'raw', value: 'raw' },
      state: 'running',
      partitions: { primary: [0, 1], replicas: [] },
    })
  })

  test('the status is one line per item with ?pretty', async () => {
    await using served = serveFake()
    const text = await (await fetch(`${served.url}/status-store/orders?pretty`)).text()
    expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(served.store.state)))
    const lines = text.split('\n')
    expect(lines.slice(0, 2)).toEqual(['{', '  "id": "orders",'])
    expect(lines.filter((line) => line.startsWith('    {"partition":'))).toHaveLength(2)
    expect(lines.slice(-2)).toEqual(['}', ''])
  })

  test.each([
    ['/status-store/orders', 'GET'],
    ['/flush-store/orders', 'POST'],
    ['/stores/orders/none', 'GET'],
    ['/nothing', 'GET'],
  ])('an answer in JSON of our own ends with one line break: %s', async (path, method) => {
    await using served = serveFake()
    expect(await (await fetch(served.url + path, { method })).text()).toMatch(/^\{[^\n]*\}\n$/)
  })

  test('a stored value gets no line break', async () => {
    await using served = serveFake()
    served.store.put('a', '{"a":1}')
    expect(await (await fetch(`${served.url}/stores/orders/a`)).text()).toBe('{"a":1}')
  })

  test('404 store_not_found is answered when the store is another', async () => {
    await using served = serveFake()
    const status = await fetch(`${served.url}/status-store/prices`)
    expect(await problemOf(status)).toMatchObject({ code: 'store_not_found' })
    const flush = await fetch(`${served.url}/flush-store/prices`, { method: 'POST' })
    expect(await problemOf(flush)).toMatchObject({ code: 'store_not_found' })
  })

  test.each([
    '/nothing',
    '/stores',
    '/status-store',
    '/status-store/a/b',
    '/flush-store',
    '/status',
    '/metricsx',
    '//x',
    '/%zz',
  ])('404 path_not_found is answered when the path is %s', async (path) => {
    await using served = serveFake()
    expect(await problemOf(await fetch(served.url + path))).toMatchObject({ code: 'path_not_found', status: 404 })
  })

  test.each([
    ['/', 'POST', 'GET, HEAD'],
    ['/status-store/orders', 'DELETE', 'GET, HEAD'],
    ['/flush-store/orders', 'GET', 'POST'],
    ['/flush-store/orders', 'HEAD', 'POST'],
    ['/livez', 'POST', 'GET, HEAD'],
    ['/status/liveness', 'PUT', 'GET, HEAD'],
    ['/readyz', 'PATCH', 'GET, HEAD'],
    ['/status/readiness', 'OPTIONS', 'GET, HEAD'],
    ['/metrics', 'POST', 'GET, HEAD'],
    ['/metrics/prometheus', 'POST', 'GET, HEAD'],
  ])('405 with Allow is answered when %s gets %s', async (path, method, allow) => {
    await using served = serveFake()
    const response = await fetch(served.url + path, { method })
    expect([response.status, response.headers.get('allow')]).toEqual([405, allow])
    if (method !== 'HEAD') expect(await problemOf(response)).toMatchObject({ code: 'method_not_allowed' })
  })

  test.each(['/', '/livez', '/readyz', '/metrics', '/status-store/orders'])(
    'HEAD has no body when %s is asked for',
    async (path) => {
      await using served = serveFake()
      const answer = await rawRequest(served.server.port, `HEAD ${path} HTTP/1.1\r\nHost: x\r\n\r\n`, hasHead)
      expect(answer).toStartWith('HTTP/1.1 200 ')
      expect(answer).toEndWith('\r\n\r\n')
      expect(answer).toMatch(/content-length: [1-9]/i)
    },
  )

  test.each(['/metrics', '/metrics/prometheus'])('metrics are Prometheus text when %s is asked for', async (path) => {
    await using served = serveFake()
    served.store.put('a', '1')
    await fetch(`${served.url}/stores/orders/a`)
    await fetch(`${served.url}/stores/orders/b`)
    const response = await fetch(served.url + path)
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    const text = await response.text()
    expect(text).toContain('\nlatchkey_lookups_total{outcome="found"} 1\n')
    expect(text).toContain('\nlatchkey_lookups_total{outcome="not_found"} 1\n')
    expect(text).toContain('\nlatchkey_lookup_seconds_count 2\n')
    expect(text).toContain(`latchkey_build_info{version="1.2.3",bun="${Bun.version}"} 1\n`)
  })
})

describe('requests that no client library sends', () => {
  const paths = ['/livez', '/stores/orders/a', '/nothing', '/status-store/orders']

  test.each([
    ['HTTP/1.0 without Host', (path: string) => `GET ${path} HTTP/1.0\r\n\r\n`],
    ['an empty Host', (path: string) => `GET ${path} HTTP/1.1\r\nHost:\r\n\r\n`],
    ['an absolute target', (path: string) => `GET http://other:1${path} HTTP/1.1\r\nHost: a\r\n\r\n`],
  ])('the answer is the same when the request has %s', async (_, request) => {
    await using served = serveFake()
    served.store.put('a', '1')
    const statuses: string[] = []
    for (const path of paths) statuses.push((await rawRequest(served.server.port, request(path))).slice(9, 12))
    expect(statuses).toEqual(['200', '200', '404', '200'])
  })

  test('404 is answered when CONNECT is tried', async () => {
    await using served = serveFake()
    const answer = await rawRequest(served.server.port, 'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n', hasHead)
    expect(answer).toStartWith('HTTP/1.1 404 ')
  })

  test('a body is refused when it is larger than any route needs', async () => {
    await using served = serveFake()
    const body = 'x'.repeat(100_000)
    const response = await fetch(`${served.url}/flush-store/orders`, { method: 'POST', body })
    expect(response.status).toBe(413)
  })
})
