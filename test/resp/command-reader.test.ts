import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { CommandReader } from '../../lib/resp/command-reader.ts'
import { commandBytesMax } from '../../lib/resp/limits.ts'
import { ProtocolError } from '../../lib/resp/protocol-error.ts'
import { Random } from '../support/random.ts'
import { mutatedFrames, readAll } from '../support/resp/mutated-frames.ts'
import { command } from '../support/resp/replies.ts'

/** 1,000,000 take about two minutes. */
const framesMaxMs = 900_000
const frames = Number(process.env['LATCHKEY_FRAMES'] ?? 20_000)

/** Pieces of a text, cut at places from 0 to 1. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const at = [0, ...places.map((place) => Math.floor(place * bytes.length)).toSorted((a, b) => a - b), bytes.length]
  return at.slice(1).map((end, index) => bytes.slice(at[index], end))
}

function expectFault(text: string, fault: string): void {
  const bytes = Buffer.from(text, 'latin1')
  expect(readAll([bytes]).fault).toBe(fault)
  expect(readAll(cut(bytes, [0.3, 0.6, 0.9])).fault).toBe(fault)
}

function readText(text: string): string[][] {
  return readAll([Buffer.from(text, 'latin1')]).commands
}

test('commands are read back, however they are cut', () => {
  const words = fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 6 })
  const places = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 })
  fc.assert(
    fc.property(fc.array(words, { maxLength: 8 }), places, (commands, at) => {
      const bytes = Buffer.concat(commands.map((one) => command(...one)))
      const { commands: found, fault } = readAll(cut(bytes, at))
      expect(fault).toBeUndefined()
      expect(found).toEqual(commands.map((one) => one.map((word) => Buffer.from(word).toString('latin1'))))
    }),
    { numRuns: 2_000 },
  )
})

test(
  'mutated frames mean the same, whole and in pieces, and end in a command or a fault',
  () => {
    mutatedFrames(frames, Random.of('mutated frames').seed)
  },
  framesMaxMs,
)

test('arguments stay valid when later bytes arrive', () => {
  const reader = new CommandReader(true)
  const kept: Uint8Array[] = []
  const bytes = Buffer.concat([command('GET', 'a'), command('MGET', 'b', 'c'), Buffer.from('PING "d"\r\n')])
  for (const byte of bytes) {
    reader.add(new Uint8Array([byte]))
    while (reader.next()) for (let index = 0; index < reader.count; index++) kept.push(reader.argument(index))
  }
  expect(kept.map((view) => Buffer.from(view).toString())).toEqual(['GET', 'a', 'MGET', 'b', 'c', 'PING', 'd'])
})

test('the work for a large command is in proportion to its length, when it arrives byte by byte', () => {
  const reader = new CommandReader(true)
  const bytes = new Uint8Array(command('MGET', ...Array.from({ length: 5_000 }, (_, index) => `key ${index}`)))
  const buffers = new Set<ArrayBufferLike>()
  for (const byte of bytes.subarray(0, -1)) {
    reader.add(new Uint8Array([byte]))
    expect(reader.next()).toBe(false)
    // The buffer is another one each time that the bytes so far are copied.
    if (reader.count > 0) buffers.add(reader.argument(0).buffer)
  }
  reader.add(bytes.slice(-1))
  expect(reader.next()).toBe(true)
  expect(reader.count).toBe(5_001)
  expect(buffers.size).toBeLessThan(20)
})

test('a piece is not kept for the beginning of a command at its end', () => {
  const reader = new CommandReader(true)
  const ping = command('PING')
  reader.add(new Uint8Array(Buffer.concat([...Array.from({ length: 10_000 }, () => ping), Buffer.from('*1\r\n$4')])))
  let count = 0
  while (reader.next()) count++
  expect(count).toBe(10_000)
  expect(reader.pending).toBe(6)
  expect(reader.memory).toBeLessThan(2_000)
})

test('nothing is kept between commands, after many arguments either', () => {
  const reader = new CommandReader(true)
  reader.add(new Uint8Array(command(...Array.from({ length: 60_000 }, () => ''))))
  expect(reader.next()).toBe(true)
  expect(reader.next()).toBe(false)
  expect(reader.memory).toBe(0)
})

describe('inline commands', () => {
  test.each([
    ['PING\r\n', [['PING']]],
    ['  GET \t a  \n', [['GET', 'a']]],
    ['\r\n\r\nPING\r\n', [['PING']]],
    ['GET "a b"\r\n', [['GET', 'a b']]],
    [String.raw`GET "a\x41\n\"\q"` + '\r\n', [['GET', 'aA\n"q']]],
    [String.raw`GET 'a\'b\n'` + '\r\n', [['GET', String.raw`a'b\n`]]],
    ['GET ""\r\n', [['GET', '']]],
    ['GET a"b c"\r\n', [['GET', 'ab c']]],
    ['*0\r\nPING\r\n*-1\r\nPING\r\n', [['PING'], ['PING']]],
  ])('%j is read', (text, commands) => {
    expect(readText(text)).toEqual(commands)
  })
})

describe('what is no command is a fault', () => {
  test.each([
    ['*a\r\n', 'invalid multibulk length'],
    ['*+1\r\n', 'invalid multibulk length'],
    ['*01\r\n', 'invalid multibulk length'],
    ['*-\r\n', 'invalid multibulk length'],
    ['*1\rx', 'invalid multibulk length'],
    ['*99999999999', 'invalid multibulk length'],
    ['*65537\r\n', 'invalid multibulk length'],
    ['*2147483648\r\n', 'invalid multibulk length'],
    ['*1\r\n:1\r\n', "expected '$', got ':'"],
    ['*1\r\n*1\r\n', "expected '$', got '*'"],
    ['*1\r\n\x01', "expected '$', got '?'"],
    ['*1\r\n$-1\r\n', 'invalid bulk length'],
    ['*1\r\n$x\r\n', 'invalid bulk length'],
    ['*1\r\n$8000000000\r\n', 'invalid bulk length'],
    [`*1\r\n$${commandBytesMax}\r\n`, 'invalid bulk length'],
    ['*1\r\n$1\r\nab\r\n', 'invalid bulk length'],
    ['GET "a\r\n', 'unbalanced quotes in request'],
    ['GET "a"b\r\n', 'unbalanced quotes in request'],
  ])('%j', (text, fault) => expectFault(text, fault))

  test('an inline command that is too long, with an end or without', () => {
    expectFault('x'.repeat(65_537), 'too big inline request')
    expectFault(`${'x'.repeat(65_537)}\r\n`, 'too big inline request')
  })
})

test('the bounds are narrow until the client has sent the token', () => {
  const read = (bytes: Uint8Array) => {
    const reader = new CommandReader(false)
    reader.add(bytes)
    return reader.next()
  }
  expect(read(new Uint8Array(command('HELLO', '3', 'AUTH', 'default', 'x'.repeat(16_000))))).toBe(true)
  expect(() => read(Buffer.from('*11\r\n'))).toThrow(new ProtocolError('unauthenticated multibulk length'))
  expect(() => read(Buffer.from('*1\r\n$16385\r\n'))).toThrow(new ProtocolError('unauthenticated bulk length'))
  expect(() => read(Buffer.alloc(20_000, 'x'))).toThrow(new ProtocolError('too big inline request'))
})

test('the memory of an incomplete command is freed at once, and that of an argument in use is not', () => {
  const reader = new CommandReader(true)
  const bytes = new Uint8Array(command('ECHO', 'x'.repeat(100_000)))
  reader.add(bytes.slice(0, 50_000))
  expect(reader.next()).toBe(false)
  expect(reader.memory).toBeGreaterThanOrEqual(50_000)
  reader.release()
  expect(reader.memory).toBeLessThan(100)

  const used = new CommandReader(true)
  for (const piece of [bytes.slice(0, 50_000), bytes.slice(50_000)]) {
    used.add(piece)
    used.next()
  }
  const argument = used.argument(1)
  used.release()
  expect(Buffer.from(argument).equals(Buffer.alloc(100_000, 'x'))).toBe(true)
})
