import { expect, test } from 'bun:test'
import { OutputBuffer } from '../../../lib/kafka/record-batch/output-buffer.ts'
import { decompressSnappy } from '../../../lib/kafka/record-batch/snappy.ts'
import { xerialFrame } from '../../support/kafka/record-batch/compressed-batches.ts'

function decompress(bytes: Buffer, maxBytes = 1 << 20): string {
  const output = new OutputBuffer(maxBytes, 0)
  const length = decompressSnappy(bytes, output)
  return output.bytes.toString('latin1', 0, length)
}

/** A raw block that says it yields `length` bytes, of at most two bytes of length. */
function block(length: number, ...elements: (Buffer | number[])[]): Buffer {
  const preamble = length < 128 ? [length] : [(length & 127) | 128, length >>> 7]
  return Buffer.concat([Buffer.from(preamble), ...elements.map((element) => Buffer.from(element))])
}

/** A literal whose length is in `extra` bytes; 0 for a short one. */
function literal(text: string, extra = 0): Buffer {
  if (extra === 0) return Buffer.concat([Buffer.from([(text.length - 1) << 2]), Buffer.from(text)])
  const length = Buffer.alloc(4)
  length.writeUInt32LE(text.length - 1)
  return Buffer.concat([Buffer.from([(59 + extra) << 2]), length.subarray(0, extra), Buffer.from(text)])
}

// Each kind of copy: 4 bytes from 3 back
const copies = {
  'one byte': [0b000_000_01, 3],
  'two bytes': [(3 << 2) | 2, 3, 0],
  'four bytes': [(3 << 2) | 3, 3, 0, 0, 0],
}

for (const [bytes, copy] of Object.entries(copies)) {
  test(`decompressSnappy repeats what came before when a copy's distance has ${bytes}`, () => {
    expect(decompress(block(8, literal('xabc'), copy))).toBe('xabcabca')
  })
}

test.each([1, 2, 3, 4])('decompressSnappy accepts a literal when its length takes %d extra bytes', (extra) => {
  const text = 'literal '.repeat(20)
  expect(decompress(block(text.length, literal(text, extra)))).toBe(text)
})

test('decompressSnappy joins chunks when they are framed as by xerial', () => {
  expect(decompress(xerialFrame([block(3, literal('abc')), block(4, literal('defg'))]))).toBe('abcdefg')
  expect(decompress(xerialFrame([]))).toBe('')
})

test('decompressSnappy joins framed streams, and ignores what is shorter than a chunk length, as snappy-java does', () => {
  const [first, second] = [xerialFrame([block(3, literal('abc'))]), xerialFrame([block(4, literal('defg'))])]
  expect(decompress(Buffer.concat([first, second, first, Buffer.alloc(3)]))).toBe('abcdefgabc')
})

test.each<[string, Buffer, string]>([
  ['it is empty', Buffer.alloc(0), 'a Snappy block has no readable length'],
  ['its length has no end', Buffer.alloc(6, 0x80), 'a Snappy block has no readable length'],
  ['it says more than it could yield', block(127, literal('a')), 'of 2 bytes says it decompresses to 127'],
  ['it yields less than it says', block(9, literal('abc')), 'a Snappy block says 9 bytes and has 3'],
  ['it yields more than it says', block(2, literal('abc')), 'a Snappy literal of 3 bytes does not fit'],
  ['a literal is cut off', block(9, literal('abcdefghi').subarray(0, 5)), 'a Snappy literal of 9 bytes does not fit'],
  ['a literal length is cut off', block(3, [61 << 2, 1]), 'a Snappy literal length is cut off'],
  ['a copy is cut off', block(8, literal('xabc'), [(3 << 2) | 2, 3]), 'a Snappy copy of 4 bytes from'],
  ['a copy has no distance', block(8, literal('xabc'), [(3 << 2) | 2, 0, 0]), 'a Snappy copy of 4 bytes from 0 back'],
  ['a copy goes before the start', block(8, literal('xabc'), [(3 << 2) | 2, 5, 0]), 'of 4 bytes from 5 back'],
  ['a copy passes the end', block(7, literal('xabc'), [(3 << 2) | 2, 3, 0]), 'a Snappy copy of 4 bytes from 3 back'],
  [
    'a chunk copies from the one before',
    xerialFrame([block(4, literal('xabc')), block(4, [(3 << 2) | 2, 3, 0])]),
    'from 3',
  ],
  [
    'a chunk is longer than what is left',
    xerialFrame([block(3, literal('abc'))]).subarray(0, -1),
    'says 5 bytes with 4',
  ],
  ['a second header is cut off', Buffer.concat([xerialFrame([]), xerialFrame([]).subarray(0, 15)]), 'says -2108469695'],
  ['a chunk is empty', Buffer.concat([xerialFrame([]), Buffer.alloc(4)]), 'a Snappy chunk says 0 bytes'],
])('decompressSnappy throws when %s', (_, bytes, found) => {
  expect(() => decompress(bytes)).toThrow(found)
})
