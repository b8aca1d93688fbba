import { describe, expect, test } from 'bun:test'
import { RequestEnd } from '../../../lib/server/fast-path/request-end.ts'

const bytes = (text: string) => Buffer.from(text, 'latin1')
const head = (headers: string, line = 'POST /flush-store/orders HTTP/1.1') => `${line}\r\nHost: a\r\n${headers}\r\n`
const next = 'GET /next HTTP/1.1\r\nHost: a\r\n\r\n'

/** How much of a text belongs to its first request, given in pieces of a size. */
function lengthOf(
  text: string,
  pieceBytes = text.length,
): { length: number; isComplete: boolean; request: RequestEnd } {
  const request = new RequestEnd()
  let length = 0
  for (let from = 0; from < text.length && !request.isComplete; from += pieceBytes) {
    length += request.consume(bytes(text.slice(from, from + pieceBytes)))
  }
  return { length, isComplete: request.isComplete, request }
}

describe('a request ends', () => {
  test.each([
    ['its head, when it has no body', head('')],
    ['the empty body', head('Content-Length: 0\r\n')],
    ['its body', head('content-LENGTH:  5 \r\n') + 'abcde'],
    ['its body, when its length begins with zeros', head('Content-Length: 0000000000000005\r\n') + 'abcde'],
    ['the last chunk', head('Transfer-Encoding: chunked\r\n') + '3\r\nabc\r\n0\r\n\r\n'],
    ['a chunk with extensions', head('transfer-encoding: Chunked\r\n') + 'A;x="y"\r\n0123456789\r\n00\r\n\r\n'],
    ['trailers', head('Transfer-Encoding: chunked\r\n') + '0\r\nX: 1\r\nY: 2\r\n\r\n'],
    ['chunks that look like an end', head('Transfer-Encoding: chunked\r\n') + '7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n'],
  ])('with %s, for any split into chunks', (_, text) => {
    for (const pieceBytes of [1, 2, 3, 7, 64, text.length + next.length]) {
      expect(lengthOf(text + next, pieceBytes)).toMatchObject({ length: text.length, isComplete: true })
    }
  })

  test.each([
    ['its head is cut', head('').slice(0, -1)],
    ['its body is cut', head('Content-Length: 5\r\n') + 'abcd'],
    ['its chunk is cut', head('Transfer-Encoding: chunked\r\n') + '5\r\nabc'],
    ['its last line is cut', head('Transfer-Encoding: chunked\r\n') + '0\r\n\r'],
  ])('later, when %s', (_, text) => {
    expect(lengthOf(text)).toMatchObject({ length: text.length, isComplete: false })
  })

  test.each([
    ['two lengths', head('Content-Length: 1\r\nContent-Length: 1\r\n')],
    ['a length and chunks', head('Content-Length: 1\r\nTransfer-Encoding: chunked\r\n')],
    ['a length that is none', head('Content-Length: -1\r\n')],
    ['a length with a sign', head('Content-Length: +1\r\n')],
    ['a length of two', head('Content-Length: 1, 1\r\n')],
    ['another encoding', head('Transfer-Encoding: gzip, chunked\r\n')],
    ['encodings twice', head('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n')],
    ['a space before the colon', head('Content-Length : 5\r\nContent-Length: 1\r\n')],
    ['a chunk of no size', head('Transfer-Encoding: chunked\r\n') + 'x\r\n'],
    ['a chunk of too many digits', head('Transfer-Encoding: chunked\r\n') + '123456789\r\n'],
    ['a chunk whose line ends without a return', head('Transfer-Encoding: chunked\r\n') + '0\n\r\n'],
    ['a chunk whose line never ends', head('Transfer-Encoding: chunked\r\n') + '0'.repeat(20_000)],
    ['a head without end', `GET / HTTP/1.1\r\n${'X: y\r\n'.repeat(20_000)}`],
  ])('nowhere, when it has %s', (_, text) => {
    for (const pieceBytes of [64, text.length + next.length]) {
      expect(lengthOf(text + next, pieceBytes)).toMatchObject({ length: (text + next).length, isComplete: false })
    }
  })

  test.each([
    ['GET / HTTP/1.1', false],
    ['GET / HTTP/1.0', true],
    ['GET /', true],
    ['GET  / HTTP/1.1', true],
  ])('and its connection with it, when its line is %p: %p', (line, isLast) => {
    expect(lengthOf(head('', line)).request.isLast).toBe(isLast)
  })

  test('without a body in the answer, when it is a HEAD', () => {
    expect(lengthOf(head('', 'HEAD / HTTP/1.1')).request.isHead).toBeTrue()
    expect(lengthOf(head('', 'GET /HEAD HTTP/1.1')).request.isHead).toBeFalse()
  })
})
