/** Requests with a body that the fast path reads: where they end, and which are left to Bun's server. */
import { describe, expect, test } from 'bun:test'
import { BodyBudget } from '../../../lib/server/fast-path/body-budget.ts'
import { type PlainHead, readPlainRequest } from '../../../lib/server/fast-path/plain-request.ts'
import { RequestBuffer } from '../../../lib/server/fast-path/request-buffer.ts'
import { Random } from '../../support/random.ts'

const host = 'Host: a\r\n'
const get = (target: string) => `GET ${target} HTTP/1.1\r\n${host}\r\n`
const send = (method: string, body: string, headers = '', target = '/stores/orders') =>
  `${method} ${target} HTTP/1.1\r\n${host}${headers}Content-Length: ${body.length}\r\n\r\n${body}`

/** Requests that can be taken, and why no more can. */
function takeAll(requestBuffer: RequestBuffer): string[] {
  const taken: string[] = []
  let known: PlainHead | undefined
  for (;;) {
    const plain = requestBuffer.nextRequest(known)
    if (typeof plain === 'string') return [...taken, plain]
    known = plain.head
    const { method, body } = plain.request!
    taken.push(`${method} ${plain.target} ${Buffer.from((body as Uint8Array | undefined) ?? []).toString('latin1')}`)
  }
}

describe('readPlainRequest', () => {
  test.each(['QUERY', 'POST'])('a body of %s is read when its length is plain', (method) => {
    const text = send(method, '{"keys":["\u00e4"]}')
    const plain = readPlainRequest(text + get('/'), 0)
    expect(plain).toMatchObject({ target: '/stores/orders', end: text.length })
    expect(plain?.request?.method).toBe(method)
    expect(Buffer.from(plain?.request?.body as Uint8Array).toString('latin1')).toBe('{"keys":["\u00e4"]}')
  })

  test('the end is known when the body has not arrived', () => {
    const text = send('POST', 'abc')
    expect(readPlainRequest(text.slice(0, -1), 0)).toMatchObject({ request: undefined, end: text.length })
  })

  const post = (headers: string, target = '/stores/orders') => `POST ${target} HTTP/1.1\r\n${host}${headers}\r\nab`

  test.each([
    ['no length', post('')],
    ['two lengths', post('Content-Length: 2\r\nContent-Length: 2\r\n')],
    ['two lengths in one', post('Content-Length: 2, 2\r\n')],
    ['a length and chunks', post('Content-Length: 2\r\nTransfer-Encoding: chunked\r\n')],
    ['chunks', post('Transfer-Encoding: chunked\r\n')],
    ['an expectation', post('Content-Length: 2\r\nExpect: 100-continue\r\n')],
    ['another protocol', post('Content-Length: 2\r\nUpgrade: h2c\r\n')],
    ['a sign', post('Content-Length: +2\r\n')],
    ['a negative length', post('Content-Length: -2\r\n')],
    ['a zero before the length', post('Content-Length: 02\r\n')],
    ['a hexadecimal length', post('Content-Length: 0x2\r\n')],
    ['a fraction', post('Content-Length: 2.0\r\n')],
    ['an empty length', post('Content-Length:\r\n')],
    ['a space before the colon', post('Content-Length : 2\r\n')],
    ['more than the bound', post('Content-Length: 1048577\r\n')],
    ['a key in the path', post('Content-Length: 2\r\n', '/stores/orders/a')],
    ['a slash after the store', post('Content-Length: 2\r\n', '/stores/orders/')],
    ['another path', post('Content-Length: 2\r\n', '/flush-store/orders')],
    ['another method', post('Content-Length: 2\r\n').replace('POST', 'PUT')],
    ['a method in lower case', post('Content-Length: 2\r\n').replace('POST', 'post')],
    ['another version', post('Content-Length: 2\r\n').replace('1.1', '1.0')],
    ['a GET', post('Content-Length: 2\r\n').replace('POST', 'GET')],
  ])('it is left to others when it has %s', (_, text) => {
    expect(readPlainRequest(text, 0)).toBeUndefined()
  })

  test('a head that is kept is not used for a method that it does not fit', () => {
    const { head } = readPlainRequest(send('POST', 'ab'), 0)!
    expect(readPlainRequest(send('QUERY', 'ab'), 0, head)?.head).toBe(head)
    expect(readPlainRequest(send('GET', 'ab', '', '/livez'), 0, head)).toBeUndefined()
    const plain = readPlainRequest(get('/'), 0)!
    expect(readPlainRequest(`POST /stores/orders HTTP/1.1\r\n${host}\r\n`, 0, plain.head)).toBeUndefined()
  })
})

describe('RequestBuffer', () => {
  const text =
    send('POST', 'GET /x HTTP/1.1\r\n\r\n') + get('/a') + send('QUERY', '') + send('POST', '\r\n') + get('/b')
  const all = [
    'POST /stores/orders GET /x HTTP/1.1\r\n\r\n',
    'GET /a ',
    'QUERY /stores/orders ',
    'POST /stores/orders \r\n',
    'GET /b ',
    'none',
  ]

  test('all are taken in order however they are cut in two', () => {
    for (let cut = 0; cut <= text.length; cut++) {
      const requestBuffer = new RequestBuffer()
      requestBuffer.add(Buffer.from(text.slice(0, cut)))
      const before = takeAll(requestBuffer)
      expect(before.pop()).toBe('none')
      requestBuffer.add(Buffer.from(text.slice(cut)))
      expect([...before, ...takeAll(requestBuffer)]).toEqual(all)
    }
  })

  test('a body is waited for in any number of pieces', () => {
    const requestBuffer = new RequestBuffer()
    const request = send('POST', 'x'.repeat(1_000))
    const headLength = request.length - 1_000
    requestBuffer.add(Buffer.from(request.slice(0, headLength)))
    for (let at = headLength; at < request.length; at++) {
      expect(takeAll(requestBuffer)).toEqual(['none'])
      expect(requestBuffer.awaitsBody).toBeTrue()
      requestBuffer.add(Buffer.from(request[at]!))
    }
    requestBuffer.add(Buffer.from(get('/a')))
    expect(takeAll(requestBuffer)).toEqual([`POST /stores/orders ${'x'.repeat(1_000)}`, 'GET /a ', 'none'])
    expect(requestBuffer.awaitsBody).toBeFalse()
  })

  test('a body is left to others, with its head, when there is no room for it', () => {
    const budget = new BodyBudget(1_000)
    const [first, second] = [new RequestBuffer(budget), new RequestBuffer(budget)]
    const part = send('POST', 'x'.repeat(800)).slice(0, -1)
    first.add(Buffer.from(part))
    second.add(Buffer.from(part))
    expect([takeAll(first), takeAll(second)]).toEqual([['none'], ['odd']])
    expect(Buffer.from(second.rest()).toString()).toBe(part)
    first.close()
    expect(budget.bytes).toBe(0)
    second.add(Buffer.from(part))
    expect(takeAll(second)).toEqual(['none'])
    second.add(Buffer.from('x'))
    takeAll(second)
    expect(budget.bytes).toBe(0)
  })

  test('what is taken does not depend on how bytes arrive', () => {
    const random = Random.of('request bodies')
    const pieces = [
      get('/a'),
      send('POST', '{"keys":["a"]}'),
      send('QUERY', get('/smuggled')),
      send('POST', 'x'.repeat(300)),
      send('POST', 'ab', 'Transfer-Encoding: chunked\r\n'),
      send('GET', 'ab', '', '/a'),
      '\r\n',
    ]
    for (let round = 0; round < 20_000; round++) {
      let bytes = Array.from({ length: 1 + random.below(4) }, () => random.pick(pieces)).join('')
      for (let change = random.below(3); change > 0; change--) {
        const at = random.below(bytes.length)
        bytes =
          bytes.slice(0, at) +
          random.pick(['', '\r', '\n', ' ', '0', '9', ',', ':', 'x']) +
          bytes.slice(at + random.below(2))
      }
      const whole = takenWith(bytes, [bytes.length])
      const cuts = Array.from({ length: random.below(3) }, () => random.below(bytes.length + 1)).toSorted(
        (a, b) => a - b,
      )
      const cut = takenWith(bytes, [...cuts, bytes.length])
      // Cut differently, a request may be left to Bun's server that would have been taken, but no other is taken.
      expect(whole.taken.slice(0, cut.taken.length)).toEqual(cut.taken)
      expect(cut.rest).toEndWith(whole.rest)
      if (cut.rest !== whole.rest) expect(cut.isOdd).toBeTrue()
    }
  })
})

/** @param cuts ends of the pieces in which bytes arrive */
function takenWith(bytes: string, cuts: readonly number[]) {
  const budget = new BodyBudget()
  const requestBuffer = new RequestBuffer(budget)
  const taken: string[] = []
  let from = 0
  let isOdd = false
  for (const to of cuts) {
    requestBuffer.add(Buffer.from(bytes.slice(from, to), 'latin1'))
    from = to
    if (isOdd) continue
    const more = takeAll(requestBuffer)
    isOdd = more.pop() === 'odd'
    taken.push(...more)
  }
  const rest = Buffer.from(requestBuffer.rest()).toString('latin1')
  expect(budget.bytes).toBe(0)
  return { taken, isOdd, rest }
}
