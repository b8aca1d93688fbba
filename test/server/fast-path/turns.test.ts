/** The thread's time that a client's requests get before other clients are answered. */
import { describe, expect, test } from 'bun:test'
import type { Answer } from '../../../lib/http/answer.ts'
import { problemResponse } from '../../../lib/http/problem.ts'
import { Turns } from '../../../lib/turns.ts'
import { get, statusesIn } from '../../support/server/clients.ts'
import { connect, fastPathOf, inTurns, valueOf } from '../../support/server/fake-connection.ts'
import { until } from '../../support/until.ts'

const answers: [string, () => Answer | Promise<Answer>][] = [
  ['values', () => valueOf(new Uint8Array(1))],
  ['problems', () => problemResponse(new Error('x'))],
  ['answers that come a little later', () => Promise.resolve(valueOf(new Uint8Array(1)))],
]

/** Clients whose requests take a millisecond each. */
function slowFastPath(answer: () => Answer | Promise<Answer>) {
  let ms = 0
  const host = fastPathOf(() => {
    ms++
    return answer()
  })
  return { ...host, turns: new Turns(() => ms) }
}

describe.each(answers)('a client that sends hundreds of requests for %s at once', (_, answer) => {
  test('gets some answers, and the others after those of another client', async () => {
    const host = slowFastPath(answer)
    const [greedy, other] = [connect(host, Infinity), connect(host, Infinity)]
    greedy.connection.received(Buffer.from(get('a').repeat(300)))
    other.connection.received(Buffer.from(get('a')))
    await inTurns(() => other.socket.text !== '')
    expect(statusesIn(other.socket.text)).toHaveLength(1)
    expect(statusesIn(greedy.socket.text).length).toBeWithin(1, 20)
    await until('all are answered', () => statusesIn(greedy.socket.text).length === 300)
  })

  test('gets them in turn with others that do the same', async () => {
    const host = slowFastPath(answer)
    const clients = Array.from({ length: 5 }, () => connect(host, Infinity))
    for (const { connection } of clients) connection.received(Buffer.from(get('a').repeat(100)))
    await inTurns(() => clients.some(({ socket }) => statusesIn(socket.text).length === 100))
    for (const { socket } of clients) expect(statusesIn(socket.text).length).toBeGreaterThan(80)
    await until('all have', () => clients.every(({ socket }) => statusesIn(socket.text).length === 100))
  })

  test('is read from no more while it waits, and again later', async () => {
    const { socket, fill } = connect(slowFastPath(answer), Infinity)
    const sent = fill(get('a'))
    expect(socket.isPaused).toBeTrue()
    await until('all are answered', () => statusesIn(socket.text).length === sent / get('a').length)
    expect(socket.isPaused).toBeFalse()
  })

  test('is answered and closed when it has ended its side', async () => {
    const { socket, connection } = connect(slowFastPath(answer), Infinity)
    connection.received(Buffer.from(get('a').repeat(100)))
    connection.ended()
    await until('it is closed', () => socket.calls.includes('end'))
    expect(statusesIn(socket.text)).toHaveLength(100)
  })

  test('is not answered when it has left', async () => {
    const host = slowFastPath(answer)
    const { socket, connection } = connect(host, Infinity)
    connection.received(Buffer.from(get('a').repeat(100)))
    await Promise.resolve()
    connection.closed()
    const answered = statusesIn(socket.text).length
    await inTurns(() => host.turns.isIdle)
    expect(statusesIn(socket.text)).toHaveLength(answered)
  })
})

test('clients that send a large request each are answered in turn, and a small one at once', async () => {
  let ms = 0
  const host = {
    ...fastPathOf(() => {
      ms += 20
      return valueOf(new Uint8Array(1))
    }),
    turns: new Turns(() => ms),
  }
  const body = JSON.stringify({ keys: Array.from({ length: 1_000 }, (_, index) => `key ${index}`) })
  const head = `QUERY /stores/orders HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`
  const clients = Array.from({ length: 20 }, () => connect(host, Infinity))
  for (const { connection } of clients) connection.received(Buffer.from(head + body))
  const isAnswered = ({ socket }: (typeof clients)[number]) => statusesIn(socket.text).length === 1
  expect(clients.filter(isAnswered)).toHaveLength(1)
  const other = connect(host, Infinity)
  other.connection.received(Buffer.from(get('a')))
  expect(isAnswered(other)).toBeTrue()
  await inTurns(() => clients.filter(isAnswered).length > 1)
  expect(clients.filter(isAnswered)).toHaveLength(2)
  await inTurns(() => clients.every(isAnswered))
  expect(clients.every(isAnswered)).toBeTrue()
})
