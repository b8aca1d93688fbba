import { expect, test } from 'bun:test'
import type { PlainHead } from '../../../lib/server/fast-path/plain-request.ts'
import { RequestBuffer } from '../../../lib/server/fast-path/request-buffer.ts'

const get = (target: string) => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`

/** Targets of all that can be taken, and why no more can. */
function takeAll(requestBuffer: RequestBuffer): string[] {
  const taken: string[] = []
  let known: PlainHead | undefined
  for (;;) {
    const request = requestBuffer.nextRequest(known)
    if (typeof request === 'string') return [...taken, request]
    known = request.head
    taken.push(request.target)
  }
}

function inboxOf(...chunks: string[]): RequestBuffer {
  const requestBuffer = new RequestBuffer()
  for (const chunk of chunks) requestBuffer.add(Buffer.from(chunk, 'latin1'))
  return requestBuffer
}

test('nothing is taken when nothing has come', () => {
  expect(takeAll(inboxOf())).toEqual(['none'])
})

test('all are taken in order for any split in two', () => {
  const text = get('/a') + get('/b') + get('/c')
  for (let destroy = 0; destroy <= text.length; destroy++) {
    expect(takeAll(inboxOf(text.slice(0, destroy), text.slice(destroy)))).toEqual(['/a', '/b', '/c', 'none'])
  }
})

test('empty lines before a request are skipped for any split in two', () => {
  const text = `\r\n${get('/a')}\r\n\r\n${get('/b')}\r\n`
  for (let destroy = 0; destroy <= text.length; destroy++) {
    const requestBuffer = inboxOf(text.slice(0, destroy), text.slice(destroy))
    expect([...takeAll(requestBuffer), requestBuffer.size]).toEqual(['/a', '/b', 'none', 0])
  }
  const requestBuffer = inboxOf('\r\nHEAD /a')
  expect(takeAll(requestBuffer)).toEqual(['odd'])
  expect(Buffer.from(requestBuffer.rest()).toString()).toBe('HEAD /a')
})

test('half an empty line is waited for, and belongs to the next request if it is not one', () => {
  const requestBuffer = inboxOf('\r')
  expect(takeAll(requestBuffer)).toEqual(['none'])
  requestBuffer.add(Buffer.from('\n'))
  expect(takeAll(requestBuffer)).toEqual(['none'])
  requestBuffer.add(Buffer.from('\r'))
  requestBuffer.add(Buffer.from(get('/a')))
  expect(takeAll(requestBuffer)).toEqual(['odd'])
  expect(Buffer.from(requestBuffer.rest()).toString()).toBe(`\r${get('/a')}`)
})

test('a partial head is waited for once, and again after a complete request', () => {
  const requestBuffer = inboxOf(get('/a').slice(0, 10))
  expect(takeAll(requestBuffer)).toEqual(['none'])
  requestBuffer.add(Buffer.from(get('/a').slice(10) + get('/b').slice(0, 20)))
  expect(takeAll(requestBuffer)).toEqual(['/a', 'none'])
  requestBuffer.add(Buffer.from(get('/b').slice(20, 25)))
  expect(takeAll(requestBuffer)).toEqual(['odd'])
  expect(Buffer.from(requestBuffer.rest()).toString()).toBe(get('/b').slice(0, 25))
})

test.each([
  ['another method', 'POST /a'],
  ['the begin of another method', 'P'],
  ['another target', 'GET *'],
  ['a head that is too long', `GET /${'a'.repeat(16_384)}`],
  ['a whole head that is not plain', 'GET /a HTTP/1.0\r\nHost: a\r\n\r\n'],
])('nothing is waited for when there is %s', (_, text) => {
  const requestBuffer = inboxOf(get('/a'), text, get('/b'))
  expect(takeAll(requestBuffer)).toEqual(['/a', 'odd'])
  expect(Buffer.from(requestBuffer.rest()).toString()).toBe(text + get('/b'))
})

test('its size is that of the bytes not taken', () => {
  const requestBuffer = inboxOf(get('/a') + get('/b'), get('/c'))
  expect(requestBuffer.size).toBe(3 * get('/a').length)
  requestBuffer.nextRequest(undefined)
  expect(requestBuffer.size).toBe(2 * get('/a').length)
  takeAll(requestBuffer)
  expect(requestBuffer.size).toBe(0)
})

test('it starts again when all remaining bytes are taken', () => {
  const requestBuffer = inboxOf(get('/a').slice(0, 10), 'x')
  expect(takeAll(requestBuffer)).toEqual(['odd'])
  expect(Buffer.from(requestBuffer.rest()).toString()).toBe(`${get('/a').slice(0, 10)}x`)
  expect(requestBuffer.size).toBe(0)
  requestBuffer.add(Buffer.from(get('/b').slice(0, 20)))
  expect(takeAll(requestBuffer)).toEqual(['none'])
  requestBuffer.add(Buffer.from(get('/b').slice(20)))
  expect(takeAll(requestBuffer)).toEqual(['/b', 'none'])
})
