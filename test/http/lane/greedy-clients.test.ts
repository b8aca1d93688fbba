/** What the lane holds of clients that send without reading: connections over sockets that a test controls. */
import { describe, expect, test } from 'bun:test'
import type { Answer } from '../../../lib/http/answer.ts'
import { Connection, type ConnectionHost } from '../../../lib/http/lane/connection.ts'
import { ValueAnswer } from '../../../lib/http/value-answer.ts'
import { Slots } from '../../../lib/http/lane/slots.ts'
import { FakeSocket } from './fake-socket.ts'
import { flush, get, statusesIn } from './clients.ts'

const waitingBytesMax = 65_536
const idleTicks = 30

interface Lane extends ConnectionHost {
  ticks: number
}

function laneOf(answerer: ConnectionHost['answerer'], port = 0): Lane {
  const behind = { port, passedOn: new Map() }
  return { answerer, hostRule: undefined, behind, slots: new Slots(1), ticks: 0, date: 'now', isClosing: false }
}

/** A connection that is asked for as much as it reads. */
function connect(host: Lane, room: number) {
  const socket = new FakeSocket(room)
  const connection = new Connection(host, socket.asSocket)
  return {
    socket,
    connection,
    /** Sends requests until it is not read from any more. @returns how many bytes that takes, with a bound on them */
    fill(request: string): number {
      let sent = 0
      while (!socket.isPaused && sent < 100 * waitingBytesMax) {
        const bytes = Buffer.from(request.repeat(100))
        connection.received(bytes)
        sent += bytes.length
      }
      return sent
    },
    makeRoom(): void {
      socket.room = Infinity
      connection.drained()
    },
  }
}

function valueOf(value: Uint8Array): ValueAnswer {
  const lookup = { value, partition: 0, offset: 1, timestamp: 1 }
  return new ValueAnswer(lookup, value, { as: 'bytes', isRaw: true, headers: new Headers() })
}

const answered = () => new Response('x'.repeat(100))
/** The lane has an answer's body later. */
const turn = () => new Promise((resolve) => setTimeout(resolve))

describe('a client that sends without end', () => {
  test('is not read from while it takes none of its answers, and is again when it does', async () => {
    let lookups = 0
    const host = laneOf((): Answer => {
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
    while (socket.isPaused) await turn()
    expect(lookups).toBeGreaterThan(1)
  })

  test('is not read from while an answer is being made', async () => {
    const answer = Promise.withResolvers<Answer>()
    let lookups = 0
    const host = laneOf(() => (lookups++ === 0 ? answer.promise : answered()))
    const { socket, fill } = connect(host, Infinity)
    expect(fill(get('a'))).toBeLessThan(2 * waitingBytesMax)
    expect(socket.isPaused).toBeTrue()
    answer.resolve(answered())
    while (socket.isPaused) await turn()
    expect(statusesIn(socket.text).length).toBeGreaterThan(1)
  })

  test('is not read from while a request that was passed on is not answered, and no other one is passed on', async () => {
    const received: Buffer[] = []
    const reached = Promise.withResolvers<{ write(text: string): number }>()
    const behind = Bun.listen({
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
      const { socket, connection, fill } = connect(laneOf(answered, behind.port), Infinity)
      connection.received(Buffer.from(flush))
      expect(fill(get('a'))).toBeLessThan(2 * waitingBytesMax)
      const server = await reached.promise
      expect(fill(get('a'))).toBeLessThan(2 * waitingBytesMax)
      expect(Buffer.concat(received).toString()).toBe(flush)
      server.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}')
      while (socket.isPaused) await turn()
      expect(statusesIn(socket.text).length).toBeGreaterThan(1)
      expect(Buffer.concat(received).toString()).toBe(flush)
      connection.closed()
    } finally {
      behind.stop(true)
    }
  })

  test('is answered no more when it has reset its connection', () => {
    let lookups = 0
    const { connection } = connect(
      laneOf(() => valueOf(new Uint8Array(1 + lookups++))),
      -1,
    )
    connection.received(Buffer.from(get('a').repeat(50)))
    connection.received(Buffer.from(get('a').repeat(50)))
    connection.closed()
    connection.received(Buffer.from(get('a').repeat(50)))
    expect(lookups).toBe(1)
  })

  test('has nothing held for it any more when its connection is closed', () => {
    const value = new Uint8Array(2 * waitingBytesMax)
    const { connection } = connect(
      laneOf(() => valueOf(value)),
      10,
    )
    connection.received(Buffer.from(get('a')))
    expect(value.length).toBe(2 * waitingBytesMax)
    connection.closed()
    expect(value.length).toBe(0)
  })
})

describe('a client that reads nothing', () => {
  test('is cut when it has taken nothing for as long as a connection may be idle, and no sooner', async () => {
    const host = laneOf(answered)
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

  test('is not cut as long as it takes a little now and then', async () => {
    const host = laneOf(answered)
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

describe('a client that sends no more in the middle of a request', () => {
  test.each([
    ['a head that could be plain', get('a').slice(0, -2)],
    ['a body', flush.slice(0, -1)],
  ])('has its end passed on when it has sent part of %s', async (_, part) => {
    const ended = Promise.withResolvers<string>()
    let received = ''
    const behind = Bun.listen({
      hostname: '127.0.0.1',
      port: 0,
      socket: {
        data: (_server, bytes) => void (received += bytes.toString()),
        end: () => ended.resolve(received),
        close: () => ended.resolve(received),
      },
    })
    try {
      const { connection } = connect(laneOf(answered, behind.port), Infinity)
      connection.received(Buffer.from(part))
      connection.ended()
      expect(await ended.promise).toBe(part)
      connection.closed()
    } finally {
      behind.stop(true)
    }
  })
})
