import { describe, expect, test } from 'bun:test'
import { RespStats } from '../../../lib/metrics/index.ts'
import { commandLabels, RespContext } from '../../../lib/resp/index.ts'
import { HeldAnswers } from '../../../lib/server/fast-path/held-answers.ts'
import { RespConnection } from '../../../lib/server/resp/resp-connection.ts'
import { RespFakeStore } from '../../support/resp/fake-store.ts'
import { command, repliesIn } from '../../support/resp/replies.ts'
import { FakeSocket } from '../../support/server/fake-socket.ts'
import { until } from '../../support/until.ts'

const mebibyte = 1_048_576

interface Opened {
  socket: FakeSocket
  connection: RespConnection
  store: RespFakeStore
  host: { ticks: number; held: HeldAnswers; heldCommands: HeldAnswers }
  lookups(): number
}

function open(room: number, token?: string): Opened {
  const store = new RespFakeStore()
  store.put('large', 'x'.repeat(10_000))
  store.put('a', 'one')
  const { onGet } = store
  let lookups = 0
  store.onGet = (key) => {
    lookups++
    return onGet(key)
  }
  const context = new RespContext(store, new RespStats(commandLabels), { token })
  const host = { context, held: new HeldAnswers(), heldCommands: new HeldAnswers(), ticks: 0 }
  const socket = new FakeSocket(room)
  return { socket, connection: new RespConnection(host, socket.asSocket), store, host, lookups: () => lookups }
}

function bytes(...words: string[]): Uint8Array {
  return new Uint8Array(command(...words))
}

function repeated(count: number, ...words: string[]): Uint8Array {
  return new Uint8Array(Buffer.concat(Array.from({ length: count }, () => command(...words))))
}

describe('a client that takes nothing', () => {
  test('holds about a mebibyte of replies, and is not read', () => {
    const { socket, connection, lookups, host } = open(0)
    connection.received(repeated(10_000, 'GET', 'large'))
    expect(lookups()).toBeGreaterThan(90)
    expect(lookups()).toBeLessThan(150)
    expect(socket.isPaused).toBe(true)
    expect(host.held.bytes).toBeLessThan(1.2 * mebibyte)
    expect(host.heldCommands.bytes).toBeGreaterThan(200_000)
  })

  test('gets everything in order once it takes it', () => {
    const { socket, connection, lookups, host } = open(0)
    const mixed = Array.from({ length: 1_000 }, (_, index) => command('ECHO', `${index} ${'x'.repeat(5_000)}`))
    for (const one of mixed) connection.received(new Uint8Array(one))
    for (let turn = 0; turn < 300; turn++) {
      socket.room = 100_000
      connection.drained()
    }
    const { replies, rest } = repliesIn(Buffer.concat(socket.taken))
    expect(replies.map((reply) => Number(String(reply).split(' ')[0]))).toEqual(mixed.map((_, index) => index))
    expect(rest).toBe(0)
    expect(socket.isPaused).toBe(false)
    expect([host.held.bytes, host.heldCommands.bytes, lookups()]).toEqual([0, 0, 0])
  })

  test('is closed after half a minute, although it sends commands', () => {
    const { socket, connection, host } = open(10)
    connection.received(repeated(1, 'GET', 'large'))
    for (host.ticks = 1; host.ticks <= 30; host.ticks++) {
      connection.received(bytes('PING'))
      connection.expire()
    }
    expect(socket.calls).toEqual([])
    connection.expire()
    expect(socket.calls).toEqual(['terminate'])
  })

  test('stays while it takes a little now and then', () => {
    const { socket, connection, host } = open(10)
    connection.received(repeated(1, 'GET', 'large'))
    for (host.ticks = 1; host.ticks <= 200; host.ticks++) {
      if (host.ticks % 25 === 0) {
        socket.room = 10
        connection.drained()
      }
      connection.expire()
    }
    expect(socket.calls).toEqual([])
  })
})

describe('an idle client', () => {
  function idle(opened: Opened, ticks: number): string[] {
    opened.host.ticks += ticks
    opened.connection.expire()
    return opened.socket.calls
  }

  test('stays, as with Redis', () => {
    const opened = open(Infinity)
    opened.connection.received(bytes('GET', 'a'))
    expect(idle(opened, 100_000)).toEqual([])
  })

  test('has its time from when it does not take what is pushed', async () => {
    const opened = open(100)
    opened.connection.received(bytes('SUBSCRIBE', '__keyspace@0__:a'))
    await until('it is subscribed', () => opened.socket.text.includes('subscribe'))
    opened.socket.room = 0
    expect(idle(opened, 100_000)).toEqual([])
    opened.store.change('a', 'x')
    await until('the message waits', () => opened.host.held.bytes > 0)
    expect(idle(opened, 30)).toEqual([])
    expect(idle(opened, 1)).toEqual(['terminate'])
  })

  test('is closed if more messages wait for it than may', async () => {
    const opened = open(100)
    opened.connection.received(bytes('PSUBSCRIBE', '*'))
    await until('it is subscribed', () => opened.socket.text.includes('psubscribe'))
    opened.socket.room = 20_000
    for (let count = 0; count < 6_000; count++) opened.store.change(`key ${count}`, 'x')
    await until('it is closed', () => opened.socket.calls.length > 0 || idle(opened, 31).length > 0)
    expect(opened.host.held.bytes).toBeLessThan(1.2 * mebibyte)
  })

  test('is closed while it owes the rest of a command', () => {
    const opened = open(Infinity)
    opened.connection.received(bytes('GET', 'a').subarray(0, -3))
    expect(idle(opened, 30)).toEqual([])
    expect(idle(opened, 1)).toEqual(['terminate'])
  })

  test('is closed while it owes the token', () => {
    const opened = open(Infinity, 'token')
    expect(idle(opened, 30)).toEqual([])
    expect(idle(opened, 1)).toEqual(['terminate'])
    const known = open(Infinity, 'token')
    known.connection.received(bytes('AUTH', 'token'))
    expect(idle(known, 100_000)).toEqual([])
  })
})

test('pieces of a command are counted until it is whole, or the client has left', () => {
  const { connection, host } = open(Infinity)
  connection.received(bytes('ECHO', 'x'.repeat(100_000)).subarray(0, 50_000))
  expect(host.heldCommands.bytes).toBeGreaterThanOrEqual(50_000)
  connection.received(bytes('ECHO', 'x'.repeat(100_000)).subarray(50_000))
  expect(host.heldCommands.bytes).toBe(0)
  connection.received(bytes('ECHO', 'x').subarray(0, 10))
  connection.closed()
  expect(host.heldCommands.bytes).toBe(0)
})

describe('the connection ends', () => {
  test('behind the replies, when the client sends no more', () => {
    const { socket, connection } = open(5)
    connection.received(bytes('GET', 'a'))
    connection.ended()
    expect(socket.calls).toEqual([])
    socket.room = 100
    connection.drained()
    expect(socket.text).toBe('$3\r\none\r\n')
    expect(socket.calls).toEqual(['end'])
  })

  test('behind a reply that waits, when the server stops', async () => {
    const { socket, connection, store } = open(Infinity)
    const { onGet } = store
    const answered = Promise.withResolvers<void>()
    store.onGet = async (key) => {
      await answered.promise
      return onGet(key)
    }
    connection.received(repeated(2, 'GET', 'a'))
    connection.finish()
    expect(socket.calls).toEqual([])
    answered.resolve()
    await until('the connection ends', () => socket.calls.length > 0)
    expect(socket.text).toBe('$3\r\none\r\n'.repeat(2))
  })

  test('at once, when nothing is owed', () => {
    const { socket, connection } = open(Infinity)
    connection.received(bytes('GET', 'a'))
    connection.finish()
    expect(socket.calls).toEqual(['end'])
  })

  test('without a further lookup, when the client has reset it', async () => {
    const { connection, lookups, host } = open(-1)
    connection.received(repeated(10_000, 'GET', 'large'))
    expect(lookups()).toBeLessThan(100)
    connection.received(repeated(10, 'GET', 'large'))
    connection.closed()
    expect(lookups()).toBeLessThan(100)
    expect(host.held.bytes).toBe(0)
  })
})
