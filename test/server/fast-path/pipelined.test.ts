/** Requests after others whose answers take a while: each is answered, in order. */
import { describe, expect, test } from 'bun:test'
import type { Served } from '../../support/http/fake-store.ts'
import { type Transport, transports } from '../../support/http/transports.ts'
import { flush, get, statusesIn } from '../../support/server/clients.ts'

const host = 'Host: a\r\n'
const chunkedFlush = `POST /flush-store/orders HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`

/** A store whose flushes take some turns of the loop, and are counted. */
function serveSlowly({ serveFake }: Transport): Served & { flushes(): number } {
  const served = serveFake()
  let flushes = 0
  served.store.put('a', '<A>')
  served.store.onFlush = async () => {
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve))
    return ++flushes
  }
  return { ...served, flushes: () => flushes }
}

describe.each(transports)('$name all are answered in order', (transport) => {
  const { sendAndEnd, rawRequest } = transport

  test.each([
    ['a lookup follows a flush', [flush, get('a')], ['{"operations":1}', '<A>']],
    ['flushes follow each other', [flush, flush, flush], [1, 2, 3].map((count) => `{"operations":${count}}`)],
    ['a flush follows a lookup', [get('a'), flush, get('a')], ['<A>', '{"operations":1}', '<A>']],
    [
      'an odd request follows a flush',
      [flush, get('a', 'X: 1\r\nX: 2\r\n'), flush],
      ['{"operations":1}', '<A>', '{"operations":2}'],
    ],
    [
      'a body looks like a request',
      [flush.replace('2', String(get('b').length)).replace('{}', get('b')), get('a')],
      ['{"operations":1}', '<A>'],
    ],
    [
      'empty lines are before and between them',
      [`\r\n${flush}`, `\r\n${get('a')}`, `\r\n\r\n${flush}`, '\r\n'.repeat(3)],
      ['{"operations":1}', '<A>', '{"operations":2}'],
    ],
    ['nothing is in a body', [flush.replace('2', '0').replace('{}', ''), get('a')], ['{"operations":1}', '<A>']],
  ])('when %s in one write', async (_, requests, found) => {
    await using served = serveSlowly(transport)
    const answers = await sendAndEnd(served.server.port, requests.join(''))
    expect(statusesIn(answers)).toEqual(found.map(() => 200))
    expect([...(answers.match(/<A>|\{"operations":\d\}/g) ?? [])]).toEqual(found)
  })

  test('when hundreds follow a flush, and more flushes are among them', async () => {
    await using served = serveSlowly(transport)
    const some = get('a').repeat(200)
    const answers = await sendAndEnd(served.server.port, flush + some + flush + some + flush)
    expect(statusesIn(answers)).toEqual(Array.from({ length: 403 }, () => 200))
    expect(served.flushes()).toBe(3)
  })

  test('when a HEAD is among them, whose answer has no body', async () => {
    await using served = serveSlowly(transport)
    const head = get('a').replace('GET', 'HEAD')
    const answers = await sendAndEnd(served.server.port, head + get('a') + head + flush)
    expect(statusesIn(answers)).toEqual([200, 200, 200, 200])
    expect(answers.split('<A>')).toHaveLength(2)
  })

  test('and the connection ends with the answer to HTTP/1.0', async () => {
    await using served = serveSlowly(transport)
    const old = 'GET /stores/orders/a HTTP/1.0\r\n\r\n'
    const isEnd = (answers: string) => statusesIn(answers).length > 1
    expect(statusesIn(await rawRequest(served.server.port, old + get('a'), isEnd))).toEqual([200])
  })

  test('and the connection ends with the answer to chunks, which announces it', async () => {
    await using served = serveSlowly(transport)
    const answers = await rawRequest(served.server.port, chunkedFlush + get('a'), () => false)
    expect(statusesIn(answers)).toEqual([200])
    expect(answers).toMatch(/^connection: close\r$/im)
    expect(answers).toEndWith('{"operations":1}\n')
  })
})

describe.each(transports)('$name', (transport) => {
  test.each([
    ['a lookup', get('a')],
    ['a flush', flush],
    ['a flush in chunks', chunkedFlush],
    ['a HEAD', get('a').replace('GET', 'HEAD')],
    ['an odd request', get('a', 'X: 1\r\nX: 2\r\n')],
  ])('a client that has sent %s and sends no more gets its answer', async (_, request) => {
    await using served = serveSlowly(transport)
    expect(statusesIn(await transport.sendAndEnd(served.server.port, request))).toEqual([200])
  })
})

test.each(transports)('$name values of answers 304 keep no memory', async ({ serveFake, rawRequest }) => {
  await using served = serveFake()
  const values: Uint8Array[] = []
  served.store.onGet = () => {
    const value = new Uint8Array(100_000)
    values.push(value)
    return { value, partition: 0, offset: 1, timestamp: 1 }
  }
  const requests = get('a', 'If-None-Match: *\r\n').repeat(10) + get('a', 'If-None-Match: *\r\nConnection: close\r\n')
  const answers = await rawRequest(served.server.port, requests)
  expect(statusesIn(answers)).toEqual(Array.from({ length: 11 }, () => 304))
  expect(values.filter(({ length }) => length > 0)).toBeEmpty()
})
