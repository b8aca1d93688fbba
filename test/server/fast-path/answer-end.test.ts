import { describe, expect, test } from 'bun:test'
import { AnswerEnd } from '../../../lib/server/fast-path/answer-end.ts'

const ok = (headers: string, body = '') => `HTTP/1.1 200 OK\r\n${headers}\r\n${body}`
const surplus = ok('Content-Length: 0\r\n')

function lengthOf(text: string, isHead = false, pieceBytes = text.length) {
  const answer = new AnswerEnd()
  let length = 0
  for (let from = 0; from < text.length && !answer.isComplete; from += pieceBytes) {
    length += answer.consume(Buffer.from(text.slice(from, from + pieceBytes)), isHead)
  }
  return { length, isComplete: answer.isComplete, isLast: answer.isLast }
}

describe('an answer ends', () => {
  test.each([
    ['its head, without a body', ok('Content-Length: 0\r\n'), false],
    ['its body', ok('content-length: 3\r\n', 'abc'), false],
    ['its head, to a HEAD', ok('Content-Length: 3\r\n'), true],
    ['its head, when nothing has changed', 'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n', false],
    ['its head, when there is no content', 'HTTP/1.1 204 No Content\r\n\r\n', false],
    ['its body, after an interim one', `HTTP/1.1 100 Continue\r\n\r\n${ok('Content-Length: 3\r\n', 'abc')}`, false],
  ])('with %s, for any split into chunks', (_, text, isHead) => {
    for (const pieceBytes of [1, 2, 5, 1_000]) {
      expect(lengthOf(text + surplus, isHead, pieceBytes)).toEqual({
        length: text.length,
        isComplete: true,
        isLast: false,
      })
    }
  })

  test('with the connection, when it has no length', () => {
    const text = ok('', 'abc')
    expect(lengthOf(text + surplus)).toMatchObject({ length: (text + surplus).length, isComplete: false })
  })

  test.each(['Connection: close', 'connection: CLOSE'])('and its connection with it, when it says %p', (header) => {
    expect(lengthOf(ok(`${header}\r\nContent-Length: 0\r\n`))).toMatchObject({ isComplete: true, isLast: true })
  })
})
