import { describe, expect, test } from 'bun:test'
import { problemOf, serveFake } from '../support/http/fake-store.ts'
import { rawRequest } from '../support/http/raw-request.ts'

const token = 'r4nd0m-token+/=='
const paths = [
  '/',
  '/stores/orders/a',
  '/stores/orders?key=a',
  '/stores/prices/a',
  '/status-store/orders',
  '/metrics',
  '/metrics/prometheus',
  '/nothing',
]
const openPaths = ['/livez', '/readyz', '/readyz?verbose', '/status/liveness', '/status/readiness?verbose']

function statusWith(url: string, authorization: string): Promise<number> {
  return fetch(url, { headers: { authorization } }).then(({ status }) => status)
}

describe('requireToken', () => {
  test.each(paths)('the answer is 401 unauthorized when %s is requested without a token', async (path) => {
    await using served = serveFake({ token })
    served.store.put('a', '1')
    const response = await fetch(served.url + path)
    expect(response.headers.get('www-authenticate')).toBe('Bearer')
    expect(response.headers.get('cache-control')).toBe('no-store')
    const problem = await problemOf(response)
    expect(problem).toMatchObject({ status: 401, code: 'unauthorized', title: 'Token missing or wrong' })
    expect(JSON.stringify(problem)).not.toContain(token)
  })

  test('401 says whether the token was missing or wrong, and what to send', async () => {
    await using served = serveFake({ token })
    const answerTo = async (headers: Record<string, string>) =>
      JSON.stringify(await problemOf(await fetch(`${served.url}/metrics`, { headers })))
    const none = await answerTo({})
    expect(none).toContain('Checking the token: the request has none; send')
    expect(none).toContain('Authorization: Bearer <token>')
    expect(await answerTo({ authorization: 'Bearer x' })).toContain(
      'the Authorization header does not match SERVER_TOKEN',
    )
  })

  test('nothing is done when a flush has no token', async () => {
    await using served = serveFake({ token })
    let flushes = 0
    served.store.onFlush = async () => ++flushes
    const url = `${served.url}/flush-store/orders`
    expect((await fetch(url, { method: 'POST' })).status).toBe(401)
    expect(flushes).toBe(0)
    const headers = { authorization: `Bearer ${token}` }
    expect((await fetch(url, { method: 'POST', headers })).status).toBe(200)
    const crossSite = { ...headers, 'sec-fetch-site': 'cross-site' }
    expect((await fetch(url, { method: 'POST', headers: crossSite })).status).toBe(403)
    expect(flushes).toBe(1)
  })

  test.each(openPaths)('%s is answered when there is no token', async (path) => {
    await using served = serveFake({ token })
    expect((await fetch(served.url + path)).status).toBe(200)
    expect(await statusWith(served.url + path, 'Bearer wrong')).toBe(200)
  })

  test.each(['/livez/', '//livez', '/livezz', '/livez%2f', '/status/liveness/x', '/x?/livez', '/livez/../metrics'])(
    'a token is required for the path %s, which is almost an open one',
    async (path) => {
      await using served = serveFake({ token })
      const answer = await rawRequest(served.server.port, `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`)
      expect(answer).toStartWith('HTTP/1.1 401 ')
    },
  )

  test.each(['Bearer', 'bearer', 'BEARER', 'Bearer  '])(
    'the token is accepted when the scheme is %p',
    async (scheme) => {
      await using served = serveFake({ token })
      served.store.put('a', '1')
      expect(await statusWith(`${served.url}/stores/orders/a`, `${scheme} ${token}`)).toBe(200)
      expect(await statusWith(`${served.url}/stores/orders/b`, `${scheme} ${token}`)).toBe(404)
    },
  )

  test.each([
    `Bearer ${token}x`,
    `Bearer ${token.slice(0, -1)}`,
    `Bearer x${token}`,
    `Bearer ${token.toUpperCase()}`,
    'Bearer ',
    'Bearer',
    token,
    `Basic ${token}`,
    `Basic ${btoa(`:${token}`)}`,
    `Bearer ${token}, Bearer ${token}`,
    `Bearer ${'x'.repeat(10_000)}`,
    'Bearer ä',
  ])('401 is answered when the header is %p', async (authorization) => {
    await using served = serveFake({ token })
    expect(await statusWith(`${served.url}/metrics`, authorization)).toBe(401)
  })

  test('401 is answered when the token is elsewhere', async () => {
    await using served = serveFake({ token })
    const query = `?access_token=${encodeURIComponent(token)}&token=${encodeURIComponent(token)}`
    expect((await fetch(`${served.url}/metrics${query}`)).status).toBe(401)
    const headers = { cookie: `token=${token}`, 'proxy-authorization': `Bearer ${token}` }
    expect((await fetch(`${served.url}/metrics`, { headers })).status).toBe(401)
  })

  test('no answer contains the token', async () => {
    await using served = serveFake({ token })
    const headers = { authorization: `Bearer ${token}` }
    for (const path of [...paths, ...openPaths]) {
      const response = await fetch(served.url + path, { headers })
      expect(await response.text()).not.toContain(token)
      expect(JSON.stringify([...response.headers])).not.toContain(token)
    }
  })

  test('no token is required when none is set', async () => {
    await using served = serveFake()
    expect((await fetch(`${served.url}/metrics`)).status).toBe(200)
    expect(await statusWith(`${served.url}/metrics`, 'Bearer x')).toBe(200)
  })
})
