import { describe, expect, test } from 'bun:test'
import { PlainHead, readPlainRequest } from '../../../lib/server/fast-path/plain-request.ts'

const host = 'Host: a\r\n'
const get = (target: string, headers = host) => `GET ${target} HTTP/1.1\r\n${headers}\r\n`

test('white space around a header is not part of it', () => {
  const head = readPlainRequest(get('/', 'Host:a\r\nAccept: \t text/plain \t \r\nX:\t \r\n'), 0)?.head
  expect(head?.headers.get('accept')).toBe('text/plain')
  expect(head?.headers.get('x')).toBe('')
})

describe('readPlainRequest', () => {
  test.each([
    '/',
    '/livez',
    '/stores/orders/10002',
    '/stores/orders/a/b//c',
    '/stores/orders/k%C3%A4se%20%25',
    '/stores/orders?key=a%2F..%2Fb&max-lag=3',
    "/stores/orders/a~b_c-d.e!$&'()*+,;=:@",
  ])('%s is read', (target) => {
    const text = get(target)
    expect(readPlainRequest(text, 0)).toMatchObject({ target, end: text.length })
  })

  test.each([
    ['a method', get('/').replace('GET', 'HEAD')],
    ['a method in lower case', get('/').replace('GET', 'get')],
    ['a version', get('/').replace('1.1', '1.0')],
    ['two spaces', get('/').replace('GET ', 'GET  ')],
    ['a whole URL', get('http://a/livez')],
    ['an asterisk', get('*')],
    ['a part that is a dot', get('/stores/orders/./a')],
    ['a part that is two dots', get('/stores/orders/..')],
    ['a part that begins with a dot', get('/stores/orders/.a')],
    ['dots that are encoded', get('/stores/orders/%2E%2e')],
    ['a backslash', get('/stores/orders\\a')],
    ['a fragment', get('/livez#a')],
    ['a quotation mark', get('/stores/orders/"a"')],
    ['bytes beyond ASCII', get('/stores/orders/\u00e4')],
    ['a control character', get('/stores/orders/a\u0000')],
    ['no Host', get('/', '')],
    ['an empty Host', get('/', 'Host:\r\n')],
    ['a Host that is none', get('/', 'Host: a/livez?\r\n')],
    ['two of a header', get('/', `${host}X: 1\r\nx: 2\r\n`)],
    ['a length', get('/', `${host}Content-Length: 0\r\n`)],
    ['chunks', get('/', `${host}transfer-ENCODING: chunked\r\n`)],
    ['an expectation', get('/', `${host}Expect: 100-continue\r\n`)],
    ['another protocol', get('/', `${host}Upgrade: h2c\r\n`)],
    ['options of the connection', get('/', `${host}Connection: keep-alive, x\r\n`)],
    ['a space before the colon', get('/', `${host}X : 1\r\n`)],
    ['no colon', get('/', `${host}X\r\n`)],
    ['no name', get('/', `${host}: 1\r\n`)],
    ['a folded header', get('/', `${host}X: 1\r\n 2\r\n`)],
    ['a bare line feed', get('/', `${host}X: 1\nY: 2\r\n`)],
    ['a bare carriage return', get('/', `${host}X: 1\rY: 2\r\n`)],
    ['a header beyond ASCII', get('/', `${host}X: \u00e4\r\n`)],
    ['line feeds alone', get('/').replaceAll('\r\n', '\n')],
    ['no end', get('/').slice(0, -1)],
    ['no line at all', 'GE'],
    ['nothing', ''],
    ['more than a hundred headers', get('/', host + Array.from({ length: 100 }, (_, at) => `X${at}: 1\r\n`).join(''))],
    ['16 KB of headers', get('/', `${host}X: ${'x'.repeat(16_384)}\r\n`)],
  ])('it is forwarded when it has %s', (_, text) => {
    expect(readPlainRequest(text, 0)).toBeUndefined()
  })

  test('each is read where the one before ends when they are pipelined', () => {
    const first = get('/a')
    const second = get('/b', `${host}If-None-Match: "x"  \r\n`)
    const one = readPlainRequest(first + second, 0)
    expect(one?.end).toBe(first.length)
    const two = readPlainRequest(first + second, one!.end, one!.head)
    expect(two).toMatchObject({ target: '/b', end: first.length + second.length })
    expect([one!.head.get('if-none-match'), two!.head.get('if-none-match')]).toEqual([null, '"x"'])
  })

  test('the head of the request before is used again when it is the same, and only then', () => {
    const { head } = readPlainRequest(get('/a'), 0)!
    expect(readPlainRequest(get('/b'), 0, head)?.head).toBe(head)
    const other = readPlainRequest(get('/b', 'Host: a\r\nAccept: text/plain\r\n'), 0, head)
    expect(other?.head).not.toBe(head)
    expect(other?.head.get('accept')).toBe('text/plain')
    expect(readPlainRequest(get('/b', 'Host: a\r\nContent-Length: 1\r\n'), 0, head)).toBeUndefined()
  })

  test('another head with a different end is read again', () => {
    const first = `${host}Authorization: Bearer 1\r\nAccept: text/plain\r\n`
    const { head } = readPlainRequest(get('/a', first), 0)!
    for (const [from, to] of [
      ['plain', 'htmls'],
      ['Bearer 1', 'Bearer 2'],
      ['Accept', 'Accepx'],
    ] as const) {
      const text = get('/a', first.replace(from, to))
      const other = readPlainRequest(text, 0, head)
      expect(other?.head.text).toBe(text.slice('GET /a'.length))
      expect(other?.head).not.toBe(head)
    }
  })

  test('the result is the same for any split of a request', () => {
    const text = get('/stores/orders/a', 'Host: a\r\nAccept: */*\r\n')
    for (let length = 0; length < text.length; length++) {
      expect(readPlainRequest(text.slice(0, length), 0)).toBeUndefined()
    }
  })
})

describe('PlainHead', () => {
  const read = (headers: string) => PlainHead.read(` HTTP/1.1\r\n${host}${headers}\r\n`)

  test.each([
    ['', false],
    ['Connection: keep-alive\r\n', false],
    ['Connection: Keep-Alive\r\n', false],
    ['connection: CLOSE\r\n', true],
  ])('with %p the answer ends the connection: %p', (headers, isLast) => {
    expect(read(headers)?.isLast).toBe(isLast)
  })

  test('values have no spaces around them, and names are found in lower case', () => {
    const head = read('X-Some:\t  a b \t\r\nEmpty:\r\n')
    expect([head?.get('x-some'), head?.get('empty'), head?.get('missing')]).toEqual(['a b', '', null])
  })
})
