import { describe, expect, test } from 'bun:test'
import { WriteBuffer } from '../../../lib/server/fast-path/write-buffer.ts'
import { FakeSocket } from '../../support/server/fake-socket.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

describe('WriteBuffer', () => {
  test('all is sent in order when the socket accepts a little at a time', () => {
    const socket = new FakeSocket(4)
    const writeBuffer = new WriteBuffer(socket)
    expect(writeBuffer.send(bytes('abcdef'))).toBeFalse()
    expect(writeBuffer.sendFrom(bytes('ghi---'), 3)).toBeFalse()
    expect(writeBuffer.send(bytes('jkl'))).toBeFalse()
    expect(socket.text).toBe('abcd')
    const drained: boolean[] = []
    for (let round = 0; round < 4; round++) {
      socket.room = 2
      drained.push(writeBuffer.drain())
    }
    expect(drained).toEqual([false, false, false, true])
    expect(socket.text).toBe('abcdefghijkl')
    socket.room = 1
    expect(writeBuffer.send(bytes('m'))).toBeTrue()
  })

  test('the rest is not overwritten by the next answer in the page', () => {
    const socket = new FakeSocket(1)
    const writeBuffer = new WriteBuffer(socket)
    const page = Buffer.from('abc')
    writeBuffer.sendFrom(page, 3)
    page.write('xyz')
    socket.room = 10
    writeBuffer.drain()
    expect(socket.text).toBe('abc')
  })

  test('the rest of a body is kept without a copy', () => {
    const body = new Uint8Array(1_000)
    const kept: Uint8Array[] = []
    const socket = { write: (part: Uint8Array) => (kept.push(part), 1), terminate() {} }
    const writeBuffer = new WriteBuffer(socket)
    writeBuffer.send(body)
    writeBuffer.drain()
    expect(kept.map(({ buffer }) => buffer === body.buffer)).toEqual([true, true])
  })

  test('nothing is kept, and nothing more is sent, when the socket is closed', () => {
    const socket = new FakeSocket(-1)
    const writeBuffer = new WriteBuffer(socket)
    expect(writeBuffer.isClosed).toBeFalse()
    writeBuffer.sendFrom(bytes('head'), 4)
    writeBuffer.send(bytes('body'))
    expect([writeBuffer.isEmpty, writeBuffer.isClosed, socket.writes]).toEqual([true, true, 1])
  })

  test('the rest is dropped when the socket closes', () => {
    const socket = new FakeSocket(2)
    const writeBuffer = new WriteBuffer(socket)
    writeBuffer.send(bytes('abc'))
    expect(writeBuffer.isEmpty).toBeFalse()
    writeBuffer.close()
    expect([writeBuffer.isEmpty, writeBuffer.isClosed]).toEqual([true, true])
    writeBuffer.drain()
    expect(socket.writes).toBe(1)
  })

  test('it closes in the middle of the rest', () => {
    const socket = new FakeSocket(0)
    const writeBuffer = new WriteBuffer(socket)
    for (const text of ['a', 'b', 'c']) writeBuffer.send(bytes(text))
    socket.room = -1
    writeBuffer.drain()
    expect([writeBuffer.isEmpty, writeBuffer.isClosed, socket.writes]).toEqual([true, true, 2])
  })

  test('the memory of a body is released once it is sent, and not before', () => {
    const socket = new FakeSocket(2)
    const writeBuffer = new WriteBuffer(socket)
    const [first, second] = [bytes('abcd').slice(), bytes('ef').slice()]
    writeBuffer.sendOwn(first)
    writeBuffer.sendOwn(second)
    expect([first.length, second.length]).toEqual([4, 2])
    socket.room = 3
    writeBuffer.drain()
    expect([first.length, second.length]).toEqual([0, 2])
    socket.room = 3
    expect(writeBuffer.drain()).toBeTrue()
    expect([first.length, second.length, socket.text]).toEqual([0, 0, 'abcdef'])
  })

  test('the memory of a body is released when the socket is closed', () => {
    const bodies = [0, 0, 0].map(() => new Uint8Array(10))
    const socket = new FakeSocket(2)
    const writeBuffer = new WriteBuffer(socket)
    for (const body of bodies.slice(0, 2)) writeBuffer.sendOwn(body)
    writeBuffer.close()
    writeBuffer.sendOwn(bodies[2]!)
    expect(bodies.map(({ length }) => length)).toEqual([0, 0, 0])
  })

  test('memory with other views is kept', () => {
    const socket = new FakeSocket(1)
    const writeBuffer = new WriteBuffer(socket)
    const [body, whole] = [bytes('abcd').slice(), bytes('xyz').slice()]
    writeBuffer.send(body)
    socket.room = 10
    writeBuffer.drain()
    writeBuffer.sendOwn(whole.subarray(0, 2))
    expect([body.length, whole.length, socket.text]).toEqual([4, 3, 'abcdxy'])
  })
})
