/** How connections end whose client, or Bun's server behind, does not do its part. */
import { describe, expect, test } from 'bun:test'
import { flush, get, statusesIn } from '../../support/server/clients.ts'
import { answered, connect, fastPathOf, idleTicks, turn, valueOf } from '../../support/server/fake-connection.ts'
import { until } from '../../support/until.ts'

/** A server behind the fast path that gives every request the same answer. */
function listenBehind(answer: string) {
  return Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data: (server) => void server.write(answer) } })
}

describe('a client that reads nothing', () => {
  test('is closed when it has read nothing for the idle timeout, and no sooner', async () => {
    const host = fastPathOf(answered)
    const { socket, connection } = connect(host, 10)
    connection.received(Buffer.from(get('a')))
    await turn()
    host.ticks = idleTicks
    connection.expire(idleTicks)
    expect(socket.calls).toEqual([])
    host.ticks++
    connection.expire(idleTicks)
    expect(socket.calls).toEqual(['terminate'])
  })

  test('is not closed while it reads a little now and then', async () => {
    const host = fastPathOf(answered)
    const { socket, connection } = connect(host, 0)
    connection.received(Buffer.from(get('a')))
    await turn()
    for (let round = 0; round < 5; round++) {
      host.ticks += idleTicks
      socket.room = 1
      connection.drained()
      connection.expire(idleTicks)
    }
    expect(socket.calls).toEqual([])
  })
})

describe('a client that still sends after its last answer', () => {
  test('is closed at the idle timeout', async () => {
    const host = fastPathOf(() => valueOf(new Uint8Array(10)))
    const { socket, connection } = connect(host, Infinity)
    connection.received(Buffer.from(get('a', 'Connection: close\r\n')))
    expect(socket.calls).toEqual(['end'])
    for (let second = 0; second <= idleTicks; second++) {
      host.ticks++
      connection.received(Buffer.from(get('a')))
      connection.expire(idleTicks)
    }
    expect(socket.calls).toEqual(['end', 'terminate'])
    expect(statusesIn(socket.text)).toEqual([200])
  })

  test('is closed then, too, when it was forwarded', async () => {
    const upstream = Bun.listen({
      hostname: '127.0.0.1',
      port: 0,
      socket: {
        data: (server) => void server.end('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'),
      },
    })
    try {
      const host = fastPathOf(answered, upstream.port)
      const { socket, connection } = connect(host, Infinity)
      connection.received(Buffer.from(flush))
      await until('it is ended', () => socket.calls.includes('end'))
      expect(host.upstream.forwarded.size).toBe(0)
      for (let second = 0; second <= idleTicks; second++) {
        host.ticks++
        connection.received(Buffer.from(get('a')))
        connection.expire(idleTicks)
      }
      expect(socket.calls).toEqual(['end', 'terminate'])
    } finally {
      upstream.stop(true)
    }
  })
})

describe('a body without an end', () => {
  test('is sent for as long as the client takes it, when it was forwarded', async () => {
    const servers: { write(text: string): unknown }[] = []
    const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n'
    const upstream = Bun.listen({
      hostname: '127.0.0.1',
      port: 0,
      socket: {
        data(server) {
          servers.push(server)
          server.write(head)
        },
      },
    })
    try {
      const host = fastPathOf(answered, upstream.port)
      const { socket, connection } = connect(host, Infinity)
      connection.received(Buffer.from(get('a').replace('1.1', '1.0')))
      await until('it has begun', () => socket.text.includes('\r\n\r\n'))
      for (let round = 0; round < 5; round++) {
        host.ticks += 2 * idleTicks
        const before = socket.text.length
        servers[0]!.write('1\r\nx\r\n')
        await until('more has come', () => socket.text.length > before)
        connection.expire(idleTicks)
      }
      expect(socket.calls).toEqual([])
      socket.room = 0
      host.ticks += 2 * idleTicks + 16
      connection.expire(idleTicks)
      expect(socket.calls.at(-1)).toBe('terminate')
    } finally {
      upstream.stop(true)
    }
  })
})

describe('a client that does not send all of a head', () => {
  test('is not waited for as long as an idle one', () => {
    const host = fastPathOf(answered)
    const { socket, connection } = connect(host, Infinity)
    connection.received(Buffer.from(get('a').slice(0, -2)))
    host.ticks = 10
    connection.expire(10 * idleTicks)
    expect(socket.calls).toEqual([])
    host.ticks++
    connection.expire(10 * idleTicks)
    expect(socket.calls).toEqual(['end'])
  })
})

describe('unsolicited answers', () => {
  test('end the connection', async () => {
    const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}'
    const upstream = listenBehind(answer + answer)
    try {
      const host = fastPathOf(answered, upstream.port)
      const { socket, connection } = connect(host, Infinity)
      connection.received(Buffer.from(flush))
      await until('both are there', () => statusesIn(socket.text).length === 2)
      connection.received(Buffer.from(get('a')))
      await until('it is ended', () => socket.calls.includes('end'))
      expect(statusesIn(socket.text)).toEqual([200, 200])
    } finally {
      upstream.stop(true)
    }
  })
})

describe('a client that sends no more in the middle of a request', () => {
  test.each([
    ['a head that could be plain', get('a').slice(0, -2)],
    ['a body', flush.slice(0, -1)],
  ])('has its end forwarded when it has sent part of %s', async (_, part) => {
    let hasEnded = false
    let received = ''
    const upstream = Bun.listen({
      hostname: '127.0.0.1',
      port: 0,
      socket: {
        data: (_server, bytes) => void (received += bytes.toString()),
        end: () => void (hasEnded = true),
      },
    })
    try {
      const { connection } = connect(fastPathOf(answered, upstream.port), Infinity)
      connection.received(Buffer.from(part))
      connection.ended()
      await until('its end is forwarded', () => hasEnded)
      expect(received).toBe(part)
      connection.closed()
    } finally {
      upstream.stop(true)
    }
  })
})
