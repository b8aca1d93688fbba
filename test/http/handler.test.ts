import { describe, expect, test } from 'bun:test'
import { createHandler, type HandlerOptions } from '../../lib/http/handler.ts'
import { FakeStore, problemOf, serveFake } from '../support/http/fake-store.ts'
import { rawRequest } from '../support/http/raw-request.ts'

/** Answers of the handler without a server. */
function handlerOf(options: HandlerOptions = {}) {
  const store = new FakeStore()
  store.put('a/b', '{"n":1}')
  const handler = createHandler(store, options)
  return async (path: string, init?: RequestInit) => handler(new Request(`http://example.org${path}`, init))
}

describe('createHandler', () => {
  test('all routes answer when it is called without a server', async () => {
    const ask = handlerOf()
    expect(await (await ask('/stores/orders/a/b')).text()).toBe('{"n":1}')
    expect((await ask('/status-store/orders')).status).toBe(200)
    expect((await ask('/flush-store/orders', { method: 'POST' })).status).toBe(200)
    expect(await (await ask('/metrics')).text()).toContain('latchkey_lookups_total{outcome="found"} 1')
  })

  test('the routes lie under the prefix, and nowhere else, when there is one', async () => {
    const ask = handlerOf({ prefix: '/kv' })
    expect(await (await ask('/kv/stores/orders/a/b')).text()).toBe('{"n":1}')
    expect(await (await ask('/kv/stores/orders?key=a%2Fb')).text()).toBe('{"n":1}')
    expect((await ask('/kv/livez')).status).toBe(200)
    for (const index of ['/kv', '/kv/', '/kv?a=b']) {
      expect(await (await ask(index)).text()).toContain('GET  /kv/stores/orders/<key>')
    }
    for (const path of ['/stores/orders/a/b', '/livez', '/kvlivez', '/k']) {
      expect(await problemOf(await ask(path))).toMatchObject({ code: 'path_not_found' })
    }
  })

  test.each(['/kv/', 'kv', 'kv/'])('the prefix %p is /kv', async (prefix) => {
    const ask = handlerOf({ prefix })
    expect((await ask('/kv/livez')).status).toBe(200)
    expect(await (await ask('/kv')).text()).toContain('GET  /kv/stores/orders/<key>')
    expect((await ask('/livez')).status).toBe(404)
  })

  test('the prefix / means no prefix', async () => {
    expect((await handlerOf({ prefix: '/' })('/livez')).status).toBe(200)
  })

  test('the token is required under the prefix, too', async () => {
    const ask = handlerOf({ prefix: '/kv', token: 'secret-secret-secret' })
    expect((await ask('/kv/stores/orders/a/b')).status).toBe(401)
    const headers = { authorization: 'Bearer secret-secret-secret' }
    expect((await ask('/kv/stores/orders/a/b', { headers })).status).toBe(200)
    expect((await ask('/kv/livez')).status).toBe(200)
  })
})

describe('answers', () => {
  const targets = [
    '/',
    '/stores/orders/a%2Fb',
    '/stores/orders/none',
    '/stores/others/a',
    '/stores/orders/%',
    '/status-store/orders',
    '/livez',
    '/readyz?verbose',
    '/metrics',
    '/nothing',
  ]
  const requestForms = { plain: '', forwarded: 'X: 1\r\nX: 2\r\n' }

  test.each(Object.entries(requestForms))(
    'name their content type and forbid sniffing, when requests are %s',
    async (_, more) => {
      await using served = serveFake({ token: 'token' })
      served.store.put('a/b', '<script>')
      for (const target of targets) {
        for (const token of ['token', 'other']) {
          const head = `Host: a\r\nAuthorization: Bearer ${token}\r\n${more}`
          const answer = await rawRequest(served.server.port, `GET ${target} HTTP/1.1\r\n${head}\r\n`)
          expect(answer.match(/^x-content-type-options: nosniff\r$/gim)).toHaveLength(1)
          expect(answer).toMatch(/^content-type: /im)
        }
      }
    },
  )

  test('of values do so with 304, too', async () => {
    await using served = serveFake()
    served.store.put('a', 'A')
    const url = `${served.url}/stores/orders/a`
    const etag = (await fetch(url)).headers.get('etag')!
    for (const method of ['GET', 'HEAD']) {
      const answer = await fetch(url, { method, headers: { 'if-none-match': etag } })
      expect([answer.status, answer.headers.get('x-content-type-options')]).toEqual([304, 'nosniff'])
    }
  })
})
