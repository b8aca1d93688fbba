import { describe, expect, test } from 'bun:test'
import { HeldAnswers } from '../../../lib/server/fast-path/held-answers.ts'
import { WriteBuffer } from '../../../lib/server/fast-path/write-buffer.ts'
import { get } from '../../support/server/clients.ts'
import { connect, fastPathOf, valueOf } from '../../support/server/fake-connection.ts'
import { FakeSocket } from '../../support/server/fake-socket.ts'

const options = { bytesMax: 100, burstBytesMax: 300, stalledTicks: 2 }

function clientOf(held: HeldAnswers) {
  const socket = new FakeSocket(0)
  const writeBuffer = new WriteBuffer(socket, held)
  return {
    writeBuffer,
    isTerminated: () => socket.calls.includes('terminate'),
    ask: (length: number) => writeBuffer.sendOwn(new Uint8Array(length)),
    take(length: number) {
      socket.room = length
      writeBuffer.drain()
    },
  }
}

function clients(held: HeldAnswers, count: number) {
  return Array.from({ length: count }, () => clientOf(held))
}

describe('HeldAnswers', () => {
  test('those that read nothing for longest are closed at once when a burst exceeds its bound', () => {
    const held = new HeldAnswers(options)
    const [first, second, third, fourth] = clients(held, 4) as [Client, Client, Client, Client]
    for (const client of [first, second, third]) client.ask(100)
    first.take(1)
    expect([first, second, third].some((client) => client.isTerminated())).toBeFalse()
    fourth.ask(150)
    expect([first, second, third, fourth].map((client) => client.isTerminated())).toEqual([false, true, true, false])
    expect(held.bytes).toBe(250)
  })

  test('those that read nothing at all are closed before those that read slowly, in any order of arrival', () => {
    const held = new HeldAnswers(options)
    const [slow, alsoSlow, ...idle] = clients(held, 6) as [Client, Client, ...Client[]]
    for (const client of [slow, alsoSlow]) {
      client.ask(100)
      client.take(10)
    }
    for (const client of idle) client.ask(90)
    expect([slow, alsoSlow, ...idle].map((client) => client.isTerminated())).toEqual([
      false,
      false,
      true,
      true,
      true,
      false,
    ])
  })

  test('of those that read something, the one that did so longest ago is closed, and none whose answer has just begun', () => {
    const held = new HeldAnswers(options)
    const [first, second, latest] = clients(held, 3) as [Client, Client, Client]
    for (const client of [first, second]) client.ask(100)
    for (const client of [second, first]) client.take(1)
    latest.ask(150)
    expect([first, second, latest].map((client) => client.isTerminated())).toEqual([false, true, false])
    latest.take(1)
    first.take(99)
    // Its next answer has nothing to do with what it took of the one before.
    first.ask(100)
    second.writeBuffer.close()
    clientOf(held).ask(100)
    expect([first.isTerminated(), latest.isTerminated(), held.bytes]).toEqual([true, false, 250])
  })

  test('one answer alone may be larger than the bound', () => {
    const held = new HeldAnswers(options)
    const [small, large] = clients(held, 2) as [Client, Client]
    small.ask(1)
    large.ask(1_000)
    expect([small.isTerminated(), large.isTerminated(), held.bytes]).toEqual([true, false, 1_000])
  })

  test('only stalled ones are closed when less than a burst is held', () => {
    const held = new HeldAnswers(options)
    const [still, alsoStill, moving] = clients(held, 3) as [Client, Client, Client]
    for (const client of [still, alsoStill, moving]) client.ask(80)
    held.tick()
    moving.take(1)
    expect(still.isTerminated()).toBeFalse()
    held.tick()
    expect([still, alsoStill, moving].map((client) => client.isTerminated())).toEqual([true, true, false])
    held.tick()
    held.tick()
    expect([moving.isTerminated(), held.bytes]).toEqual([false, 80])
  })

  test('what is read, and what is closed, is no longer held', () => {
    const held = new HeldAnswers(options)
    const [taking, closing] = clients(held, 2) as [Client, Client]
    taking.ask(30)
    taking.writeBuffer.send(new Uint8Array(20))
    closing.ask(40)
    expect(held.bytes).toBe(90)
    taking.take(35)
    expect(held.bytes).toBe(60)
    taking.take(15)
    closing.writeBuffer.close()
    expect(held.bytes).toBe(0)
  })

  test('an answer in pieces counts from its first one, and as a whole', () => {
    const held = new HeldAnswers(options)
    const [pieces, whole] = clients(held, 2) as [Client, Client]
    pieces.ask(60)
    whole.ask(60)
    for (let piece = 0; piece < 4; piece++) pieces.ask(60)
    expect([pieces.isTerminated(), whole.isTerminated()]).toEqual([true, false])
  })
})

type Client = ReturnType<typeof clientOf>

test('a connection that reads nothing of its answer is closed for another one, and its memory is released', () => {
  const held = new HeldAnswers({ ...options, burstBytesMax: 300_000 })
  const values: Uint8Array[] = []
  const requestHandler = () => valueOf(values[values.push(new Uint8Array(200_000)) - 1]!)
  const host = { ...fastPathOf(requestHandler), held }
  const [slow, other] = [connect(host, 10), connect(host, 10)]
  for (const { connection } of [slow, other]) connection.received(Buffer.from(get('a')))
  expect([slow.socket.calls, other.socket.calls]).toEqual([['terminate'], []])
  slow.connection.closed()
  expect(values.map(({ length }) => length)).toEqual([0, 200_000])
  other.makeRoom()
  expect([other.socket.text.length > 200_000, held.bytes]).toEqual([true, 0])
})
