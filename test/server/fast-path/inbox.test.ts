import { expect, test } from 'bun:test'
import { Inbox } from '../../../lib/server/fast-path/inbox.ts'
import type { PlainHead } from '../../../lib/server/fast-path/plain-request.ts'

const get = (target: string) => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`

/** Targets of all that can be taken, and why no more can. */
function takeAll(inbox: Inbox): string[] {
  const taken: string[] = []
  let known: PlainHead | undefined
  for (;;) {
    const request = inbox.take(known)
    if (typeof request === 'string') return [...taken, request]
    known = request.head
    taken.push(request.target)
  }
}

function inboxOf(...chunks: string[]): Inbox {
  const inbox = new Inbox()
  for (const chunk of chunks) inbox.add(Buffer.from(chunk, 'latin1'))
  return inbox
}

test('nothing is taken when nothing has come', () => {
  expect(takeAll(inboxOf())).toEqual(['none'])
})

test('all are taken in order however they are cut in two', () => {
  const text = get('/a') + get('/b') + get('/c')
  for (let cut = 0; cut <= text.length; cut++) {
    expect(takeAll(inboxOf(text.slice(0, cut), text.slice(cut)))).toEqual(['/a', '/b', '/c', 'none'])
  }
})

test('empty lines before a request are skipped however they are cut in two', () => {
  const text = `\r\n${get('/a')}\r\n\r\n${get('/b')}\r\n`
  for (let cut = 0; cut <= text.length; cut++) {
    const inbox = inboxOf(text.slice(0, cut), text.slice(cut))
    expect([...takeAll(inbox), inbox.size]).toEqual(['/a', '/b', 'none', 0])
  }
  const inbox = inboxOf('\r\nHEAD /a')
  expect(takeAll(inbox)).toEqual(['odd'])
  expect(Buffer.from(inbox.rest()).toString()).toBe('HEAD /a')
})

test('half an empty line is waited for, and belongs to what follows if it is none', () => {
  const inbox = inboxOf('\r')
  expect(takeAll(inbox)).toEqual(['none'])
  inbox.add(Buffer.from('\n'))
  expect(takeAll(inbox)).toEqual(['none'])
  inbox.add(Buffer.from('\r'))
  inbox.add(Buffer.from(get('/a')))
  expect(takeAll(inbox)).toEqual(['odd'])
  expect(Buffer.from(inbox.rest()).toString()).toBe(`\r${get('/a')}`)
})

test('a head that is cut is waited for once, and twice where a request came between', () => {
  const inbox = inboxOf(get('/a').slice(0, 10))
  expect(takeAll(inbox)).toEqual(['none'])
  inbox.add(Buffer.from(get('/a').slice(10) + get('/b').slice(0, 20)))
  expect(takeAll(inbox)).toEqual(['/a', 'none'])
  inbox.add(Buffer.from(get('/b').slice(20, 25)))
  expect(takeAll(inbox)).toEqual(['odd'])
  expect(Buffer.from(inbox.rest()).toString()).toBe(get('/b').slice(0, 25))
})

test.each([
  ['another method', 'POST /a'],
  ['the begin of another method', 'P'],
  ['another target', 'GET *'],
  ['a head that is too long', `GET /${'a'.repeat(16_384)}`],
  ['a whole head that is not plain', 'GET /a HTTP/1.0\r\nHost: a\r\n\r\n'],
])('nothing is waited for when there is %s', (_, text) => {
  const inbox = inboxOf(get('/a'), text, get('/b'))
  expect(takeAll(inbox)).toEqual(['/a', 'odd'])
  expect(Buffer.from(inbox.rest()).toString()).toBe(text + get('/b'))
})

test('its size is that of what was not taken', () => {
  const inbox = inboxOf(get('/a') + get('/b'), get('/c'))
  expect(inbox.size).toBe(3 * get('/a').length)
  inbox.take(undefined)
  expect(inbox.size).toBe(2 * get('/a').length)
  takeAll(inbox)
  expect(inbox.size).toBe(0)
})

test('it begins anew when all that was left is taken', () => {
  const inbox = inboxOf(get('/a').slice(0, 10), 'x')
  expect(takeAll(inbox)).toEqual(['odd'])
  expect(Buffer.from(inbox.rest()).toString()).toBe(`${get('/a').slice(0, 10)}x`)
  expect(inbox.size).toBe(0)
  inbox.add(Buffer.from(get('/b').slice(0, 20)))
  expect(takeAll(inbox)).toEqual(['none'])
  inbox.add(Buffer.from(get('/b').slice(20)))
  expect(takeAll(inbox)).toEqual(['/b', 'none'])
})
