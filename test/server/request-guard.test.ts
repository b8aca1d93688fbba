/** What holds on every path in: Hosts, bounds of bodies, and the end of connections. */
import { describe, expect, test } from 'bun:test'
import { hostRuleOf } from '../../lib/server/host-rule.ts'
import { Token } from '../../lib/text/token.ts'
import { serveFake } from '../support/http/fake-store.ts'
import { exchange, type RequestPath, requestPaths } from '../support/http/request-paths.ts'
import { statusesIn } from '../support/server/clients.ts'

const request = (path: RequestPath, headers: string, line = 'GET /stores/orders/a') =>
  `${line} HTTP/1.1\r\n${headers}${path.headers}\r\n`

/** Of more pieces than any bound allows for, where the server reads on. */
const piecesMax = 200

async function exchangeWith(path: RequestPath, start: string, more?: string, answersMax = 1) {
  await using served = serveFake({ tls: path.tls, hasFastPath: path.hasFastPath, idleTimeoutSeconds: 255 })
  served.store.put('a', '<A>')
  // An answer too many, or pieces without end: the connection was not closed.
  const isEnd = (answers: string, sent: number) => statusesIn(answers).length > answersMax || sent >= piecesMax
  return await exchange(path, served.server.port, start, { isEnd, ...(more !== undefined && { more }) })
}

describe.each([...requestPaths])('$name', (path) => {
  test.each([
    ['two Hosts', 'Host: a\r\nHost: b\r\n'],
    ['the same Host twice', 'Host: a\r\nhost: a\r\n'],
    ['a Host with a path', 'Host: a/livez?\r\n'],
    ['a Host with a user', 'Host: b@a\r\n'],
    ['a Host with a space', 'Host: a b\r\n'],
    ['a Host that is a list', 'Host: a,b\r\n'],
    ['a Host with a port that is none', 'Host: a:b\r\n'],
    ['a Host with two ports', 'Host: a:1:2\r\n'],
    ['no Host', ''],
  ])('400 is answered, and the connection closed, when a request has %s', async (_, headers) => {
    const { answers, isClosed } = await exchangeWith(path, request(path, headers) + request(path, 'Host: a\r\n'))
    expect(statusesIn(answers)).toEqual([400])
    expect(isClosed).toBeTrue()
  })

  test.each([
    ['two Hosts', 'Host: evil.example\r\nHost: evil.example\r\n'],
    ['two Hosts that would be answered', 'Host: localhost\r\nHost: localhost\r\n'],
    ['a Host with a space', 'Host: evil example\r\n'],
    ['more after an address', 'Host: [::1]x\r\n'],
  ])('an invalid Host is refused as such, not for its name, when a request has %s', async (_, headers) => {
    let refused = 0
    const hostRule = hostRuleOf({ token: new Token(undefined), refused: () => ++refused > 0 })
    await using served = serveFake({ tls: path.tls, hasFastPath: path.hasFastPath, hostRule })
    const { answers, isClosed } = await exchange(path, served.server.port, request(path, headers))
    expect(statusesIn(answers)).toEqual([400])
    expect(answers).toContain('"code":"invalid_host"')
    expect(isClosed).toBeTrue()
    expect(refused).toBe(0)
  })

  test.each(['a', 'A.example:80', '127.0.0.1', '[::1]:8080', 'a_b-c~', 'a:'])('Host %p is valid', async (host) => {
    const { answers } = await exchangeWith(path, request(path, `Host: ${host}\r\nConnection: close\r\n`))
    expect(answers).toStartWith('HTTP/1.1 200 ')
    expect(answers).toEndWith('<A>')
  })

  test.each(['GET', 'HEAD', 'POST', 'DELETE'])(
    'a body beyond the bound is refused and not read when %s announces one',
    async (method) => {
      const head = request(path, 'Host: a\r\nContent-Length: 4000000000\r\n', `${method} /stores/orders/a`)
      const { answers } = await exchangeWith(path, head, undefined, 0)
      expect(statusesIn(answers)).toEqual([413])
      expect((await exchangeWith(path, head, 'x'.repeat(10_000))).isClosed).toBeTrue()
    },
  )

  test.each([
    ['equal ones', 'Content-Length: 5\r\nContent-Length: 5\r\n'],
    ['equal ones that announce nothing', 'Content-Length: 0\r\ncontent-length: 0\r\n'],
    ['ones that differ', 'Content-Length: 5\r\nContent-Length: 0\r\n'],
    ['a list of equal ones', 'Content-Length: 5, 5\r\n'],
  ])(
    'a request with several lengths is refused, and nothing after it is answered, when it has %s',
    async (_, lengths) => {
      for (const line of ['GET /stores/orders/a', 'HEAD /livez', 'POST /flush-store/orders']) {
        const requests = `${request(path, `Host: a\r\n${lengths}`, line)}hello${request(path, 'Host: a\r\n')}`
        const { answers, isClosed } = await exchangeWith(path, requests)
        expect(statusesIn(answers)).toEqual([400])
        expect(answers).toMatch(/^connection: close\r$/im)
        expect(isClosed).toBeTrue()
      }
    },
  )

  test.each(['GET /stores/orders/a', 'POST /stores/orders/a', 'POST /flush-store/orders'])(
    'the connection ends, regardless of further data, when chunks come with %s',
    async (line) => {
      const head = request(path, 'Host: a\r\nTransfer-Encoding: chunked\r\n', line)
      const chunk = `3E8\r\n${'x'.repeat(1_000)}\r\n`
      expect((await exchangeWith(path, head, chunk)).isClosed).toBeTrue()
    },
  )

  test.each(['close', 'Close', 'keep-alive, close', 'close, te'])(
    'a request with Connection: %s is answered with the same, and nothing after it',
    async (connection) => {
      const asked = request(path, `Host: a\r\nConnection: ${connection}\r\n`)
      const { answers, isClosed } = await exchangeWith(path, asked + request(path, 'Host: a\r\n'))
      expect(answers.match(/^connection: close\r$/gim)).toHaveLength(1)
      expect(statusesIn(answers)).toEqual([200])
      expect(isClosed).toBeTrue()
    },
  )
})
