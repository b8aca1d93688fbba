/** Requests with a body, as bytes: nothing in a body is taken for a request, and slow bodies hold nothing for long. */
import { describe, expect, test } from 'bun:test'
import { serveFake } from '../support/http/fake-store.ts'
import { exchange, requestPaths } from '../support/http/request-paths.ts'
import { get, statusesIn } from '../support/server/clients.ts'

const post = (body: string, headers: string) =>
  `POST /stores/orders HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}`

describe.each(requestPaths)('$name', (path) => {
  const serve = (options = {}) => serveFake({ tls: path.tls, hasFastPath: path.hasFastPath, ...options })

  test('what a body has is not taken for a request, and the next request is answered', async () => {
    await using served = serve()
    served.store.put('a', 'A')
    const smuggled = get('smuggled')
    const requests = [
      post(`{"keys":[]}${' '.repeat(10)}`, path.headers),
      post(smuggled, path.headers),
      get('a', path.headers),
    ]
    const isEnd = (answers: string) => statusesIn(answers).length >= 3
    const { answers } = await exchange(path, served.server.port, requests.join(''), { isEnd })
    expect(statusesIn(answers)).toEqual([200, 400, 200])
    expect(answers).not.toContain('key_not_found')
  })

  test('a body that arrives in pieces is read', async () => {
    await using served = serve()
    const body = JSON.stringify({ keys: ['x'.repeat(300)] })
    const request = post(body, path.headers)
    const { answers } = await exchange(path, served.server.port, request.slice(0, -body.length), {
      more: body.slice(0, 1),
      isEnd: (_, sent) => sent === 1,
    })
    expect(answers).toBe('')
    const whole = await exchange(path, served.server.port, request, { isEnd: (text) => text.includes('"missing"') })
    expect(statusesIn(whole.answers)).toEqual([200])
  })

  test.concurrent(
    'a connection ends when its body does not',
    async () => {
      await using served = serve({ idleTimeoutSeconds: 3 })
      const request = post('x'.repeat(1_000_000), path.headers).slice(0, -999_999)
      const ends = [
        exchange(path, served.server.port, request),
        exchange(path, served.server.port, request, { more: 'x' }),
      ]
      for (const { isClosed } of await Promise.all(ends)) expect(isClosed).toBeTrue()
    },
    60_000,
  )
})
