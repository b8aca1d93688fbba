import { expect, test } from 'bun:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { lz4Compress, snappyCompress } from '@platformatic/wasm-utils/bundled'
import fc from 'fast-check'
import { Decompressor } from '../../../lib/kafka/record-batch/decompressor.ts'
import { type Compression, maxDecompressedBytes, RecordBatchReader } from '../../../lib/kafka/record-batch/index.ts'
import { compressors, lz4Frame, xerialFrame } from '../../support/kafka/record-batch/compressed-batches.ts'
import { rawBatch } from '../../support/kafka/record-batch/raw-batch.ts'
import { encode, readAll, sample } from '../../support/kafka/record-batch/samples.ts'

const text = Buffer.from(JSON.stringify(Array.from({ length: 20_000 }, (_, id) => ({ id, name: `name ${id % 77}` }))))

/** Bytes that compress well, a little, or not at all. */
const content = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.nat(text.length).map((length) => text.subarray(0, length)),
  fc
    .tuple(fc.uint8Array({ minLength: 1, maxLength: 9 }), fc.nat(20_000))
    .map(([unit, times]) => Buffer.alloc(times, unit)),
)

for (const { name, code, compress } of compressors) {
  test(`decompress yields what went in when it was compressed with ${name}`, () => {
    const decompressor = new Decompressor()
    fc.assert(
      fc.property(content, (bytes) => {
        const whole = Buffer.from(bytes)
        if (whole.length === 0) return // no batch has empty records that are compressed
        expect(decompressor.decompress(code as Compression, compress(whole)).equals(whole)).toBe(true)
      }),
      { numRuns: 60 },
    )
  })

  test(`a batch reads as uncompressed when its records are compressed with ${name}`, () => {
    const records = Array.from({ length: 3000 }, (_, id) =>
      sample(`key ${id}`, id % 5 ? `value ${id}` : null, 1000 + id, id * 2),
    )
    const plain = encode(records)
    const body = compress(plain.subarray(61))
    const batch = rawBatch({ attributes: code, body, recordCount: 3000, baseTimestamp: 1000n, maxTimestamp: 3999n })
    expect(readAll(batch)).toEqual(readAll(plain))
  })

  test(`a batch is corrupt when ${name} is cut off or is something else`, () => {
    const plain = encode([sample('key', 'value '.repeat(50)), sample('other', 'value '.repeat(50))])
    const whole = compress(plain.subarray(61))
    const bodies: Buffer[] = [
      Buffer.alloc(0),
      Buffer.from('nothing of the kind'),
      Buffer.alloc(40),
      Buffer.alloc(40, 0xff),
    ]
    for (let cut = 0; cut < whole.length - 1; cut++) bodies.push(whole.subarray(0, cut))
    let corrupt = 0
    for (const body of bodies) {
      try {
        // zlib rejects a cut gzip trailer and accepts a cut Zstandard checksum: the records may be complete
        expect(
          readAll(rawBatch({ attributes: code, body, recordCount: 2, baseTimestamp: 1_700_000_000_000n })),
        ).toEqual(readAll(plain))
      } catch (error) {
        expect(error).toMatchObject({ code: 'record_batch_corrupt' })
        corrupt++
      }
    }
    expect(corrupt).toBeGreaterThanOrEqual(bodies.length - 8)
  })
}

// As Java's GZIPInputStream: what follows the last member counts only where it is a member.
test.each([
  ['one byte', Buffer.from([0])],
  ['some text', Buffer.from('nothing that zlib knows, and longer than a trailer')],
  ['half a member', gzipSync('more').subarray(0, 12)],
  ['a member whose checksum is wrong', Buffer.concat([gzipSync('more').subarray(0, -8), Buffer.alloc(8)])],
])('decompress yields the gzip members that are whole when %s follows', (_, rest) => {
  const members = [gzipSync('first, '), gzipSync('second'), rest]
  expect(new Decompressor().decompress(1, Buffer.concat(members)).toString()).toBe('first, second')
})

test('decompress throws when the only gzip member is damaged', () => {
  const damaged = gzipSync('content')
  damaged.writeUInt32LE(0, damaged.length - 8)
  expect(() => new Decompressor().decompress(1, damaged)).toThrow('incorrect data check')
})

const mebibyte = Buffer.alloc(1 << 20)
const fourMebibytes = Buffer.alloc(4 << 20)
const times = Math.ceil(maxDecompressedBytes / mebibyte.length) * 2

test.each<[string, number, Buffer]>([
  ['gzip', 1, repeat(gzipSync(mebibyte), times)],
  ['snappy', 2, snappyCompress(Buffer.alloc(maxDecompressedBytes + 1))],
  ['snappy in xerial framing', 2, xerialFrame(Array.from({ length: times }, () => snappyCompress(mebibyte)))],
  [
    'lz4',
    3,
    lz4Frame({
      blockSizeCode: 7,
      blocks: Array.from({ length: times / 4 }, () => ({ bytes: lz4Block(fourMebibytes) })),
    }),
  ],
  ['zstd', 4, repeat(zstdCompressSync(mebibyte), times)],
])('a batch is corrupt when %s decompresses to more than is allowed', (_, code, body) => {
  const reader = new RecordBatchReader()
  const batch = rawBatch({ attributes: code, body, recordCount: 1 })
  reader.open(batch, 0, batch.length)
  reader.nextBatch()
  expect(() => reader.openRecords({ checkCrc: true })).toThrow(
    expect.objectContaining({
      code: 'record_batch_corrupt',
      details: expect.objectContaining({ isOversized: true }),
      message: expect.stringContaining(`they take more than the ${maxDecompressedBytes} bytes allowed`),
    }),
  )
})

function repeat(bytes: Buffer, count: number): Buffer {
  return Buffer.concat(Array.from({ length: count }, () => bytes))
}

/** The only block of the frame that another encoder makes of up to 4 MiB. */
function lz4Block(bytes: Buffer): Buffer {
  const frame = lz4Compress(bytes)
  return frame.subarray(11, 11 + frame.readUInt32LE(7))
}
