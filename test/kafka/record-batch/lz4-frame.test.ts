import { expect, test } from 'bun:test'
import { decompressLz4Frame } from '../../../lib/kafka/record-batch/lz4-frame.ts'
import { OutputBuffer } from '../../../lib/kafka/record-batch/output-buffer.ts'
import { type Lz4Frame, lz4Frame } from '../../support/kafka/record-batch/compressed-batches.ts'

function decompress(frame: Buffer, maxBytes = 1 << 20): string {
  const output = new OutputBuffer(maxBytes, 0)
  const length = decompressLz4Frame(frame, output)
  return output.bytes.toString('latin1', 0, length)
}

/** Literals, and before the last five of them a match where one is asked for. */
function block(literals: string, match?: { distance: number; bytes: number }): Buffer {
  if (!match) return Buffer.concat([sequence(literals.length, 0), Buffer.from(literals)])
  return Buffer.concat([
    sequence(literals.length - 5, match.bytes - 4),
    Buffer.from(literals.slice(0, -5)),
    Buffer.from([match.distance & 255, match.distance >>> 8]),
    sequence(5, 0),
    Buffer.from(literals.slice(-5)),
  ])
}

/** The token of a sequence whose lengths are short. */
function sequence(literalBytes: number, matchCode: number): Buffer {
  return Buffer.from([(literalBytes << 4) | matchCode])
}

const overlapping = { bytes: block('abfinal', { distance: 2, bytes: 10 }) }
const intoBefore = { bytes: block('cother', { distance: 18, bytes: 6 }) }

test.each<[string, Lz4Frame, string]>([
  ['a match overlaps itself', { blocks: [overlapping] }, 'ababababababfinal'],
  ['blocks are linked', { linked: true, blocks: [overlapping, intoBefore] }, 'ababababababfinalcabababother'],
  [
    'a block is stored',
    { blocks: [{ bytes: Buffer.from('as it is'), stored: true }, overlapping] },
    'as it isababababababfinal',
  ],
  ['there is no block', { blocks: [] }, ''],
  [
    'every option is on',
    {
      blockChecksums: true,
      contentChecksum: true,
      contentBytes: 17,
      content: Buffer.from('ababababababfinal'),
      blocks: [overlapping],
    },
    'ababababababfinal',
  ],
])('decompressLz4Frame yields the content when %s', (_, frame, expected) => {
  expect(decompress(lz4Frame(frame))).toBe(expected)
})

const plain: Lz4Frame = { blocks: [overlapping] }

test.each<[string, Buffer, string]>([
  ['it begins otherwise', Buffer.from('no frame of LZ4'), 'an LZ4 frame begins with 0x'],
  ['it is empty', Buffer.alloc(0), 'an LZ4 frame is cut off at byte 0'],
  [
    'a match of an unlinked block leaves it',
    lz4Frame({ blocks: [overlapping, intoBefore] }),
    'an LZ4 match goes 18 back, where 1 bytes are',
  ],
  ['a match goes before the start', lz4Frame({ blocks: [intoBefore] }), 'an LZ4 match goes 18 back'],
  [
    'a match has no distance',
    lz4Frame({ blocks: [{ bytes: block('abfinal', { distance: 0, bytes: 8 }) }] }),
    'an LZ4 match goes 0 back',
  ],
  [
    'a block ends with a match',
    lz4Frame({ blocks: [{ bytes: overlapping.bytes.subarray(0, -6) }] }),
    'ends with a match',
  ],
  [
    'a literal is too long',
    lz4Frame({ blocks: [{ bytes: Buffer.from([0xf0, 0xff, 0xff]) }] }),
    'an LZ4 literal of 525 bytes',
  ],
  ['a block checksum is wrong', flipped(lz4Frame({ ...plain, blockChecksums: true }), -5), 'an LZ4 block has checksum'],
  ['its header checksum is wrong', flipped(lz4Frame(plain), 6), 'an LZ4 frame header has checksum'],
  ['it needs a dictionary', lz4Frame({ ...plain, dictionary: true }), 'an LZ4 frame needs a dictionary'],
  ['its block size is unknown', lz4Frame({ ...plain, blockSizeCode: 3 }), 'an LZ4 frame header has flags 0x60 0x30'],
  ['it has no end mark', lz4Frame(plain).subarray(0, -4), 'an LZ4 frame is cut off'],
])('decompressLz4Frame throws when %s', (_, frame, found) => {
  expect(() => decompress(frame)).toThrow(found)
})

// As Kafka's Java client: Lz4BlockInputStream reads neither, and stops at the end mark.
test.each([
  ['its content is shorter than it says', lz4Frame({ ...plain, contentBytes: 18 })],
  ['its content checksum is wrong', lz4Frame({ ...plain, contentChecksum: true })],
  ['bytes follow it', Buffer.concat([lz4Frame(plain), Buffer.from('more')])],
])('decompressLz4Frame yields the content when %s', (_, frame) => {
  expect(decompress(frame)).toBe('ababababababfinal')
})

test('decompressLz4Frame throws when a block is larger than its frame allows', () => {
  const stored = { bytes: Buffer.alloc(65_537), stored: true }
  expect(() => decompress(lz4Frame({ blocks: [stored] }))).toThrow('an LZ4 block says 65537 bytes')
  // A match of 255 × n bytes out of few
  const long = Buffer.concat([
    Buffer.from([0x1f, 0x61, 1, 0]),
    Buffer.alloc(300, 255),
    Buffer.from([0, 0x50]),
    Buffer.from('final'),
  ])
  expect(() => decompress(lz4Frame({ blocks: [{ bytes: long }] }))).toThrow('an LZ4 match of 76519 bytes')
  expect(decompress(lz4Frame({ blockSizeCode: 5, blocks: [{ bytes: long }] }))).toHaveLength(1 + 76_519 + 5)
})

test('decompressLz4Frame throws when the output passes its bound', () => {
  const blocks = Array.from({ length: 10 }, () => ({ bytes: Buffer.alloc(60_000), stored: true }))
  expect(() => decompress(lz4Frame({ blocks }), 500_000)).toThrow('they take more than the 500000 bytes allowed')
})

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at < 0 ? bytes.length + at : at]! ^= 1
  return copy
}
