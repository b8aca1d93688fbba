/** Clients that are slow, greedy or make no sense, by raw sockets: none of them may hold anything for long, or keep others from an answer. */
import { describe, expect, test } from 'bun:test'
import type { OpenSocket } from '../support/http/connect.ts'
import { allTransports, type Transport } from '../support/http/transports.ts'

const host = 'Host: a\r\n'

/** All that is received until the server closes, while `more` is sent again and again. */
function untilClosed(openSocket: OpenSocket, port: number, start: string, more?: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = ''
    let timer: Timer | undefined
    const socket = openSocket(port, () => {
      if (start) socket.write(start)
      if (more !== undefined) timer = setInterval(() => socket.writable && socket.write(more), 20)
    })
    socket.on('data', (chunk) => (answer += String(chunk)))
    socket.on('error', () => {})
    socket.on('close', () => {
      clearInterval(timer)
      resolve(answer)
    })
  })
}

/** Resolves when all connections have ended by themselves. */
async function slowClientsEnd({ openSocket, serveFake, fetch }: Transport): Promise<void> {
  await using served = serveFake({ idleTimeoutSeconds: 4 })
  const { port } = served.server
  const flush = `POST /flush-store/orders HTTP/1.1\r\n${host}`
  const slow = [
    untilClosed(openSocket, port, ''),
    untilClosed(openSocket, port, 'GET /livez HT'),
    untilClosed(openSocket, port, 'GET /livez HTTP/1.1\r\n', 'X'),
    untilClosed(openSocket, port, `${flush}Content-Length: 4000\r\n\r\nab`),
    untilClosed(openSocket, port, `${flush}Content-Length: 4000\r\n\r\n`, 'x'),
    untilClosed(openSocket, port, `${flush}Transfer-Encoding: chunked\r\n\r\n`, '1\r\nx\r\n'),
    untilClosed(openSocket, port, `GET /livez HTTP/1.1\r\n${host}\r\n`),
  ]
  expect((await fetch(`${served.url}/livez`)).status).toBe(200)
  await Promise.all(slow)
}

test('slow connections time out, and others are answered meanwhile', async () => {
  const ended: string[] = []
  // At the same time, because it takes the 12 s of a head.
  await Promise.all(allTransports.map((transport) => slowClientsEnd(transport).then(() => ended.push(transport.name))))
  expect(ended).toBeArrayOfSize(4)
})

describe.each(allTransports)('$name', ({ openSocket, hasFastPath, serveFake, open, rawRequest, fetch }) => {
  describe('slow clients', () => {
    test('answers wait, and memory does not grow, when a client sends requests and reads nothing', async () => {
      await using served = serveFake()
      served.store.put('large', 'x'.repeat(1_000_000))
      const get = served.store.onGet
      let lookups = 0
      const asked = Promise.withResolvers<void>()
      served.store.onGet = (key) => {
        lookups++
        asked.resolve()
        return get(key)
      }
      const socket = await open(served.server.port)
      socket.pause()
      socket.write(`GET /stores/orders/large HTTP/1.1\r\n${host}\r\n`.repeat(200))
      await asked.promise
      // By the time that another client has had its answers, all that can be read of the first one's has been.
      for (let index = 0; index < 20; index++) await fetch(`${served.url}/livez`)
      expect(lookups).toBeLessThan(50)
      socket.destroy()
    })
  })

  describe('greedy clients', () => {
    test('all are answered in order when requests are pipelined', async () => {
      await using served = serveFake()
      const keys = Array.from({ length: 500 }, (_, index) => `key-${index}`)
      for (const key of keys) served.store.put(key, `<${key}>`)
      const requests = keys.map((key) => `GET /stores/orders/${key} HTTP/1.1\r\n${host}\r\n`).join('')
      const answers = await rawRequest(served.server.port, requests, (answer) => answer.endsWith('<key-499>'))
      expect([...(answers.match(/<key-\d+>/g) ?? [])]).toEqual(keys.map((key) => `<${key}>`))
    })

    test.each([
      ['one header is', `GET /livez HTTP/1.1\r\n${host}X: ${'a'.repeat(20_000)}\r\n\r\n`],
      ['the target is', `GET /stores/orders/${'a'.repeat(20_000)} HTTP/1.1\r\n${host}\r\n`],
      ['all headers are', `GET /livez HTTP/1.1\r\n${host}${'X: abcdefgh\r\n'.repeat(2_000)}\r\n`],
      ['the header never ends, and', `GET /livez HTTP/1.1\r\n${host}${'X: abcdefgh\r\n'.repeat(10_000)}`],
    ])('431 is answered and the connection closed when %s too long', async (_, request) => {
      await using served = serveFake()
      const answer = await untilClosed(openSocket, served.server.port, request)
      expect(answer).toMatch(/^(HTTP\/1\.1 431 |$)/)
    })

    test.each(['Content-Length: 5000\r\n', 'Content-Length: 99999999999999999999\r\n'])(
      'nothing is flushed when the body is announced as %p',
      async (length) => {
        await using served = serveFake()
        let flushes = 0
        served.store.onFlush = async () => ++flushes
        const head = `POST /flush-store/orders HTTP/1.1\r\n${host}${length}\r\n`
        expect(await untilClosed(openSocket, served.server.port, head)).toMatch(/^HTTP\/1\.1 4(00|13) /)
        expect(flushes).toBe(0)
      },
    )
  })

  describe('malformed requests', () => {
    const unknownMethods = [
      ['an unknown method', `FOO /livez HTTP/1.1\r\n${host}\r\n`],
      ['a method in lower case', `get /livez HTTP/1.1\r\n${host}\r\n`],
      ['a method of 9,000 letters', `${'F'.repeat(9_000)} /livez HTTP/1.1\r\n${host}\r\n`],
    ] as const
    const malformed = [
      ['a method of control characters', `\u0001\u0002 /livez HTTP/1.1\r\n${host}\r\n`],
      ['no version', 'GET /livez\r\n\r\n'],
      ['another version', `GET /livez HTTP/3.0\r\n${host}\r\n`],
      ['no target', `OPTIONS * HTTP/1.1\r\n${host}\r\n`],
      ['no Host', 'GET /livez HTTP/1.1\r\n\r\n'],
      ['a handshake of TLS', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001'],
      ['a negative length', `POST /flush-store/orders HTTP/1.1\r\n${host}Content-Length: -1\r\n\r\n`],
      ['two lengths', `POST /flush-store/orders HTTP/1.1\r\n${host}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`],
      [
        'a length and chunks',
        `POST /flush-store/orders HTTP/1.1\r\n${host}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      ],
      ['a space before the colon', `GET /livez HTTP/1.1\r\n${host}Content-Length : 5\r\n\r\n`],
      ['a folded header', `GET /livez HTTP/1.1\r\n${host}X: a\r\n b\r\n\r\n`],
    ] as const
    // Bun's server closes the connection without an answer when it does not know the method.
    const bareClose = /^$/
    const cases = [
      ...unknownMethods.map((named) => [...named, hasFastPath ? /^HTTP\/1\.1 501 / : bareClose] as const),
      ...malformed.map((named) => [...named, /^HTTP\/1\.1 (400|505) /] as const),
    ]

    test.each(cases)('it is refused and the connection closed when a request has %s', async (_, request, refusal) => {
      await using served = serveFake()
      let flushes = 0
      served.store.onFlush = async () => ++flushes
      expect(await untilClosed(openSocket, served.server.port, request)).toMatch(refusal)
      expect(flushes).toBe(0)
      expect((await fetch(`${served.url}/livez`)).status).toBe(200)
    })

    test('the token is required when the request is odd but readable', async () => {
      await using served = serveFake({ token: 'token' })
      const answers = [
        'GET /metrics HTTP/1.0\r\n\r\n',
        'GET http://livez/metrics HTTP/1.1\r\nHost: livez\r\n\r\n',
        `GET /metrics HTTP/1.1\r\n${host}X: 1\r\nX: 2\r\n\r\n`,
        `GET /metrics HTTP/1.1\r\n${host}Authorization: Bearer x\r\nAuthorization: Bearer token\r\n\r\n`,
      ].map((request) => rawRequest(served.server.port, request))
      for (const answer of await Promise.all(answers)) expect(answer).toStartWith('HTTP/1.1 401 ')
    })
  })
})
