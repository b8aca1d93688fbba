/** What the fast path holds of clients that send without reading. */
import { describe, expect, test } from 'bun:test'
import type { Answer } from '../../../lib/http/answer.ts'
import { flush, get, statusesIn } from '../../support/server/clients.ts'
import { answered, connect, fastPathOf, turn, valueOf, waitingBytesMax } from '../../support/server/fake-connection.ts'
import { until } from '../../support/until.ts'

describe('a client that sends without end', () => {
  test('is not read from while it reads no answers, and is again when it does', async () => {
    let lookups = 0
    const host = fastPathOf((): Answer => {
      lookups++
      return answered()
    })
    const { socket, fill, makeRoom } = connect(host, 0)
    fill(get('a'))
    await turn()
    const sent = fill(get('a'))
    expect(sent).toBeLessThan(2 * waitingBytesMax)
    expect(socket.isPaused).toBeTrue()
    expect(lookups).toBe(1)
    makeRoom()
    await until('it is read again', () => !socket.isPaused)
    expect(lookups).toBeGreaterThan(1)
  })

  test('is not read from while an answer is pending', async () => {
    const answer = Promise.withResolvers<Answer>()
    let lookups = 0
    const host = fastPathOf(() => (lookups++ === 0 ? answer.promise : answered()))
    const { socket, fill } = connect(host, Infinity)
    expect(fill(get('a'))).toBeLessThan(2 * waitingBytesMax)
    expect(socket.isPaused).toBeTrue()
    answer.resolve(answered())
    await until('it is read again', () => !socket.isPaused)
    expect(statusesIn(socket.text).length).toBeGreaterThan(1)
  })

  test('is not read from while a forwarded request is not answered, and no other one is forwarded', async () => {
    const received: Buffer[] = []
    const reached = Promise.withResolvers<{ write(text: string): number }>()
    const upstream = Bun.listen({
      hostname: '127.0.0.1',
      port: 0,
      socket: {
        data(server, bytes) {
          received.push(bytes)
          reached.resolve(server)
        },
      },
    })
    try {
      const { socket, connection, fill } = connect(fastPathOf(answered, upstream.port), Infinity)
      connection.received(Buffer.from(flush))
      expect(fill(get('a'))).toBeLessThan(2 * waitingBytesMax)
      const server = await reached.promise
      expect(fill(get('a'))).toBeLessThan(2 * waitingBytesMax)
      expect(Buffer.concat(received).toString()).toBe(flush)
      server.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}')
      await until('it is read again', () => !socket.isPaused)
      expect(statusesIn(socket.text).length).toBeGreaterThan(1)
      expect(Buffer.concat(received).toString()).toBe(flush)
      connection.closed()
    } finally {
      upstream.stop(true)
    }
  })

  test('gets no more answers when it has reset its connection', () => {
    let lookups = 0
    const { connection } = connect(
      fastPathOf(() => valueOf(new Uint8Array(1 + lookups++))),
      -1,
    )
    connection.received(Buffer.from(get('a').repeat(50)))
    connection.received(Buffer.from(get('a').repeat(50)))
    connection.closed()
    connection.received(Buffer.from(get('a').repeat(50)))
    expect(lookups).toBe(1)
  })

  test('has no memory held for it when its connection is closed', () => {
    const value = new Uint8Array(2 * waitingBytesMax)
    const { connection } = connect(
      fastPathOf(() => valueOf(value)),
      10,
    )
    connection.received(Buffer.from(get('a')))
    expect(value.length).toBe(2 * waitingBytesMax)
    connection.closed()
    expect(value.length).toBe(0)
  })
})
