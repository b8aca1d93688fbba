import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { LatchkeyError } from '../../../lib/errors.ts'
import { releaseBody, ResponseFrames } from '../../../lib/kafka/connection/response-frames.ts'

const headBytes = 8

/** A response as it comes: length, correlation id, body. */
function response(correlationId: number, body: Uint8Array): Buffer {
  const bytes = Buffer.alloc(headBytes + body.length)
  bytes.writeInt32BE(4 + body.length, 0)
  bytes.writeInt32BE(correlationId, 4)
  bytes.set(body, headBytes)
  return bytes
}

/** As a socket gives it: with its own memory. */
function chunkOf(bytes: Uint8Array): Buffer {
  const chunk = Buffer.allocUnsafeSlow(bytes.length)
  chunk.set(bytes)
  return chunk
}

function collecting(bytesMax = 1_000_000) {
  const taken: Buffer[] = []
  return { taken, frames: new ResponseFrames('kafka:9092', bytesMax, (frame) => void taken.push(frame)) }
}

test('responses are the same for any split into chunks, and stay the same while they are kept', () => {
  const bodies = fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 8 })
  fc.assert(
    fc.property(bodies, fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 40 }), (sent, lengths) => {
      const stream = Buffer.concat(sent.map((body, at) => response(at, body)))
      const { frames, taken } = collecting()
      let at = 0
      for (const length of [...lengths, stream.length]) {
        if (at < stream.length) frames.push(chunkOf(stream.subarray(at, at + length)))
        at += length
      }
      expect(taken.map((frame) => [frame.readInt32BE(0), [...frame.subarray(4)]])).toEqual(
        sent.map((body, index) => [index, [...body]]),
      )
    }),
    { numRuns: 500 },
  )
})

test('the memory of a chunk is released once all of it is copied, and kept while a response is in it', () => {
  const { frames, taken } = collecting()
  const bytes = response(1, Buffer.alloc(100, 'a'))
  const chunks = [
    bytes.subarray(0, 50),
    bytes.subarray(50, 90),
    Buffer.concat([bytes.subarray(90), response(2, Buffer.from('b'))]),
  ]
  const pushed = chunks.map(chunkOf)
  for (const chunk of pushed) frames.push(chunk)
  expect(pushed.map(({ length }) => length)).toEqual([0, 0, 27])
  expect(taken.map((frame) => frame.toString('latin1', 4))).toEqual(['a'.repeat(100), 'b'])
})

test('a chunk with shared memory is kept', () => {
  const { frames } = collecting()
  const memory = Buffer.allocUnsafeSlow(200)
  response(1, Buffer.alloc(180)).copy(memory)
  frames.push(memory.subarray(0, 100))
  expect(memory.length).toBe(200)
})

test('releaseBody releases a response with its own memory, from one chunk or several', () => {
  const { frames, taken } = collecting()
  frames.push(chunkOf(response(1, Buffer.alloc(10))))
  const bytes = response(2, Buffer.alloc(100))
  frames.push(chunkOf(bytes.subarray(0, 50)))
  frames.push(chunkOf(bytes.subarray(50)))
  const bodies = taken.map((frame) => frame.subarray(4))
  for (const body of bodies) releaseBody(body)
  expect(bodies.map(({ length }) => length)).toEqual([0, 0])
})

test('releaseBody does not release a response that shares its chunk', () => {
  const { frames, taken } = collecting()
  frames.push(chunkOf(Buffer.concat([response(1, Buffer.from('first')), response(2, Buffer.from('second'))])))
  for (const frame of taken) releaseBody(frame.subarray(4))
  expect(taken.map((frame) => frame.toString('latin1', 4))).toEqual(['first', 'second'])
})

test('a partial response is dropped when the connection is another one', () => {
  const { frames, taken } = collecting()
  for (const part of [chunkOf(response(1, Buffer.alloc(100)).subarray(0, 60)), Buffer.from([0, 0])]) {
    frames.push(part)
    frames.reset()
  }
  frames.push(chunkOf(response(2, Buffer.from('whole'))))
  expect(taken.map((frame) => frame.toString('latin1', 4))).toEqual(['whole'])
})

test.each([
  ['a negative length', Buffer.from([0xff, 0xff, 0xff, 0xff, 1])],
  ['a length beyond what may come', Buffer.from([0x7f, 0, 0, 0, 1])],
  ['an impossible length after a response', Buffer.concat([response(1, Buffer.alloc(3)), Buffer.from([0, 0, 0, 1])])],
])('%s is refused', (_, bytes) => {
  const { frames } = collecting()
  expect(() => frames.push(chunkOf(bytes))).toThrow(LatchkeyError)
})
