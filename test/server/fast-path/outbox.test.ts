import { describe, expect, test } from 'bun:test'
import { Outbox } from '../../../lib/server/fast-path/outbox.ts'
import { FakeSocket } from './fake-socket.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

describe('Outbox', () => {
  test('all is sent in order when the socket takes a little at a time', () => {
    const socket = new FakeSocket(4)
    const outbox = new Outbox(socket)
    expect(outbox.send(bytes('abcdef'))).toBeFalse()
    expect(outbox.sendFrom(bytes('ghi---'), 3)).toBeFalse()
    expect(outbox.send(bytes('jkl'))).toBeFalse()
    expect(socket.text).toBe('abcd')
    const drained: boolean[] = []
    for (let round = 0; round < 4; round++) {
      socket.room = 2
      drained.push(outbox.drain())
    }
    expect(drained).toEqual([false, false, false, true])
    expect(socket.text).toBe('abcdefghijkl')
    socket.room = 1
    expect(outbox.send(bytes('m'))).toBeTrue()
  })

  test('what is left is not what the page has next', () => {
    const socket = new FakeSocket(1)
    const outbox = new Outbox(socket)
    const page = Buffer.from('abc')
    outbox.sendFrom(page, 3)
    page.write('xyz')
    socket.room = 10
    outbox.drain()
    expect(socket.text).toBe('abc')
  })

  test('what is left of a body is kept without a copy', () => {
    const body = new Uint8Array(1_000)
    const kept: Uint8Array[] = []
    const socket = { write: (part: Uint8Array) => (kept.push(part), 1), terminate() {} }
    const outbox = new Outbox(socket)
    outbox.send(body)
    outbox.drain()
    expect(kept.map(({ buffer }) => buffer === body.buffer)).toEqual([true, true])
  })

  test('nothing is kept, and nothing more is sent, when the socket is closed', () => {
    const socket = new FakeSocket(-1)
    const outbox = new Outbox(socket)
    expect(outbox.isClosed).toBeFalse()
    outbox.sendFrom(bytes('head'), 4)
    outbox.send(bytes('body'))
    expect([outbox.isEmpty, outbox.isClosed, socket.writes]).toEqual([true, true, 1])
  })

  test('what is left is forgotten when the socket closes', () => {
    const socket = new FakeSocket(2)
    const outbox = new Outbox(socket)
    outbox.send(bytes('abc'))
    expect(outbox.isEmpty).toBeFalse()
    outbox.close()
    expect([outbox.isEmpty, outbox.isClosed]).toEqual([true, true])
    outbox.drain()
    expect(socket.writes).toBe(1)
  })

  test('it closes in the middle of what is left', () => {
    const socket = new FakeSocket(0)
    const outbox = new Outbox(socket)
    for (const text of ['a', 'b', 'c']) outbox.send(bytes(text))
    socket.room = -1
    outbox.drain()
    expect([outbox.isEmpty, outbox.isClosed, socket.writes]).toEqual([true, true, 2])
  })

  test('the memory of a body is given back once it is sent, and not before', () => {
    const socket = new FakeSocket(2)
    const outbox = new Outbox(socket)
    const [first, second] = [bytes('abcd').slice(), bytes('ef').slice()]
    outbox.sendOwn(first)
    outbox.sendOwn(second)
    expect([first.length, second.length]).toEqual([4, 2])
    socket.room = 3
    outbox.drain()
    expect([first.length, second.length]).toEqual([0, 2])
    socket.room = 3
    expect(outbox.drain()).toBeTrue()
    expect([first.length, second.length, socket.text]).toEqual([0, 0, 'abcdef'])
  })

  test('the memory of a body is given back when the socket is closed', () => {
    const bodies = [0, 0, 0].map(() => new Uint8Array(10))
    const socket = new FakeSocket(2)
    const outbox = new Outbox(socket)
    for (const body of bodies.slice(0, 2)) outbox.sendOwn(body)
    outbox.close()
    outbox.sendOwn(bodies[2]!)
    expect(bodies.map(({ length }) => length)).toEqual([0, 0, 0])
  })

  test('what others look at keeps its memory', () => {
    const socket = new FakeSocket(1)
    const outbox = new Outbox(socket)
    const [body, whole] = [bytes('abcd').slice(), bytes('xyz').slice()]
    outbox.send(body)
    socket.room = 10
    outbox.drain()
    outbox.sendOwn(whole.subarray(0, 2))
    expect([body.length, whole.length, socket.text]).toEqual([4, 3, 'abcdxy'])
  })
})
