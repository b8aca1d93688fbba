import { describe, expect, test } from 'bun:test'
import { problemFor } from '../../../lib/server/fast-path/bare-answer.ts'
import { transports } from '../../support/http/transports.ts'

const host = 'Host: a\r\n'

describe.each(transports)(
  '$name a request that does not reach a handler is answered with a problem',
  ({ serveFake, rawRequest }) => {
    test.each([
      [
        'body_too_large',
        413,
        `POST /flush-store/orders HTTP/1.1\r\n${host}Content-Length: 5000\r\n\r\n${'x'.repeat(5_000)}`,
      ],
      ['body_too_large', 413, `PUT /stores/orders/a HTTP/1.1\r\n${host}Content-Length: 5000\r\n\r\n`],
      ['head_too_large', 431, `GET /livez HTTP/1.1\r\n${host}X: ${'a'.repeat(17_000)}\r\n\r\n`],
      ['malformed_request', 400, 'GET /livez HTTP/1.1\r\n\r\n'],
      ['malformed_request', 400, `OPTIONS * HTTP/1.1\r\n${host}\r\n`],
      ['version_not_supported', 505, `GET /livez HTTP/1.2\r\n${host}\r\n`],
      ['version_not_supported', 505, `GET /livez HTTP/2.0\r\n${host}\r\n`],
      ['method_unknown', 501, `FOO /livez HTTP/1.1\r\n${host}\r\n`],
      ['method_unknown', 501, `get /livez HTTP/1.1\r\n${host}\r\n`],
      ['method_unknown', 501, `FOO /flush-store/orders HTTP/1.1\r\n${host}Content-Length: 5\r\n\r\nhello`],
      ['malformed_request', 400, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
      ['malformed_request', 400, 'GET /livez HTTP/1.1\r\nHost a\r\n\r\n'],
    ])('of %s, %d', async (code, status, request) => {
      await using served = serveFake()
      const [head = '', body = ''] = (await rawRequest(served.server.port, request)).split('\r\n\r\n')
      expect(head).toStartWith(`HTTP/1.1 ${status} `)
      expect(head.toLowerCase().split('\r\n')).toEqual(
        expect.arrayContaining([
          'content-type: application/problem+json',
          'x-content-type-options: nosniff',
          'cache-control: no-store',
          'connection: close',
        ]),
      )
      expect(JSON.parse(body)).toMatchObject({ status, code, detail: expect.stringContaining('Reading the request: ') })
    })
  },
)

describe.each(transports)('$name', ({ serveFake, rawRequest }) => {
  test.each([`1.1\r\n${host}Connection: close`, `1.0\r\n${host}Connection: keep-alive`, `1.1\r\nHost: a`])(
    'a body beyond all bounds is answered with a problem: HTTP/%s',
    async (rest) => {
      await using served = serveFake()
      const request = `POST /stores/orders HTTP/${rest}\r\nContent-Length: 1048577\r\n\r\n`
      const [head, body = ''] = (await rawRequest(served.server.port, request)).split('\r\n\r\n')
      expect(head).toStartWith('HTTP/1.1 413 ')
      expect(JSON.parse(body)).toMatchObject({ status: 413, code: 'body_too_large', bytesMax: 1_048_576 })
    },
  )
})

test('an answer to HEAD has no body, and the same head', () => {
  const bare = Buffer.from('HTTP/1.1 413 Request Entity Too Large\r\nConnection: close\r\n\r\n')
  const [whole, head] = [false, true].map((isHead) => Buffer.from(problemFor(bare, isHead)!).toString())
  expect(head).toEndWith('\r\n\r\n')
  expect(whole).toStartWith(head!.slice(0, head!.indexOf('Date: ')))
})

test.each([
  'HTTP/1.1 413 Request Entity Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n',
  'HTTP/1.1 413 Request Entity Too Large\r\nConnection: close\r\n\r\nx',
  'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n',
  'HTTP/1.1 413 ',
  '',
])('%j is unchanged', (answer) => {
  expect(problemFor(Buffer.from(answer), false)).toBeUndefined()
})
