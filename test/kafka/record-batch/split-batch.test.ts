import { expect, test } from 'bun:test'
import { gzipSync } from 'node:zlib'
import {
  isOversized,
  maxDecompressedBytes,
  RecordBatchReader,
  splitBatch,
} from '../../../lib/kafka/record-batch/index.ts'
import { compressors, lz4Frame } from '../../support/kafka/record-batch/compressed-batches.ts'
import { rawBatch, rawRecord } from '../../support/kafka/record-batch/raw-batch.ts'
import { readAll, type ReadRecord } from '../../support/kafka/record-batch/samples.ts'

const records = Array.from({ length: 400 }, (_, id) =>
  rawRecord({
    offsetDelta: id * 3,
    timestampDelta: BigInt(id),
    key: `key ${id}`,
    value: id % 7 ? 'v'.repeat(id * 5) : null,
    headers: [['h', Buffer.from(String(id))]],
  }),
)
const lastOffsetDelta = 1300 // compaction has removed what was after the last record

function batchOf(attributes: number, body: Buffer, recordCount = records.length): Buffer {
  return rawBatch({ baseOffset: 50n, baseTimestamp: 1000n, attributes, body, recordCount, lastOffsetDelta })
}

async function split(batch: Buffer, pieceBytes?: number): Promise<Buffer[]> {
  const pieces: Buffer[] = []
  for await (const piece of splitBatch(batch, pieceBytes)) {
    if (!Buffer.isBuffer(piece)) throw new Error(`refused offset ${piece.offset}`)
    pieces.push(Buffer.from(piece))
  }
  return pieces
}

const plain = readAll(batchOf(0, Buffer.concat(records)))

for (const { name, code, compress } of compressors) {
  test.each([1, 1000, 20_000, 1 << 20])(
    `splitBatch yields the records of a ${name} batch when a piece takes %d bytes`,
    async (pieceBytes) => {
      const pieces = await split(batchOf(code | 0x10, compress(Buffer.concat(records))), pieceBytes)
      expect(pieces.flatMap((piece) => readAll(piece))).toEqual(plain)
      // One record at least, and no more than fit beside the last one.
      if (pieceBytes === 1) expect(pieces).toHaveLength(records.length)
      for (const piece of pieces) expect(piece.length).toBeLessThan(Math.max(pieceBytes, 61) + 2500)
      const reader = new RecordBatchReader()
      reader.open(pieces.at(-1)!, 0, pieces.at(-1)!.length)
      reader.nextBatch()
      expect(reader).toMatchObject({ nextOffset: 50 + lastOffsetDelta + 1, isTransactional: false, compression: 0 })
    },
  )
}

test('splitBatch follows matches into earlier blocks when an LZ4 frame links them', async () => {
  const [first, second] = [rawRecord({ key: 'a', value: 'x'.repeat(64) }), rawRecord({ offsetDelta: 1, key: 'b' })]
  // The second block repeats the first record's bytes before its own.
  const blocks = [
    { bytes: first, stored: true },
    { bytes: second, stored: true },
  ]
  const batch = rawBatch({ attributes: 3, body: lz4Frame({ linked: true, blocks }), recordCount: 2 })
  expect((await split(batch, 1)).flatMap((piece) => readAll(piece)).map(({ offset }) => offset)).toEqual([0, 1])
})

test('splitBatch reads what openRecords refuses for its size, and holds a part of it at a time', async () => {
  const count = Math.ceil(maxDecompressedBytes / (1 << 20)) + 32
  const body = gzipSync(
    Buffer.concat(
      Array.from({ length: count }, (_, offsetDelta) =>
        rawRecord({ offsetDelta, key: `k${offsetDelta}`, value: Buffer.alloc(1 << 20) }),
      ),
    ),
    { level: 1 },
  )
  const batch = rawBatch({ attributes: 1, body, recordCount: count })
  const reader = new RecordBatchReader()
  reader.open(batch, 0, batch.length)
  reader.nextBatch()
  expect(thrownBy(() => reader.openRecords({ checkCrc: true }))).toSatisfy(isOversized)
  const keys: string[] = []
  for await (const piece of splitBatch(batch)) {
    expect(piece).toBeInstanceOf(Buffer)
    expect((piece as Buffer).length).toBeLessThan(10 << 20)
    for (const record of readAll(piece as Buffer)) keys.push(String(record.key))
  }
  expect(keys).toEqual(Array.from({ length: count }, (_, index) => `k${index}`))
})

test('splitBatch passes over a record that exceeds what a batch may decompress to, and yields the others', async () => {
  const huge = rawRecord({ offsetDelta: 1, key: 'huge', value: Buffer.alloc(maxDecompressedBytes + 1) })
  const small = (offsetDelta: number) => rawRecord({ offsetDelta, key: `small ${offsetDelta}` })
  const body = gzipSync(Buffer.concat([small(0), huge, small(2)]), { level: 1 })
  const found: unknown[] = []
  for await (const piece of splitBatch(rawBatch({ baseOffset: 7n, attributes: 1, body, recordCount: 3 }))) {
    found.push(Buffer.isBuffer(piece) ? readAll(piece).map(({ key }) => String(key)) : piece)
  }
  expect(found).toEqual([
    ['small 0'],
    { offset: 8, next: 9, key: Buffer.from('huge'), bytes: expect.any(Number) },
    ['small 2'],
  ])
})

test('splitBatch ends the last record where the batch ends, and reports no key that is null or long', async () => {
  for (const key of [null, 'k'.repeat(65_537)]) {
    const body = gzipSync(rawRecord({ key, value: Buffer.alloc(maxDecompressedBytes + 1) }), { level: 1 })
    const found: unknown[] = []
    for await (const piece of splitBatch(rawBatch({ attributes: 1, body, recordCount: 1, lastOffsetDelta: 4 }))) {
      found.push(piece)
    }
    expect(found).toEqual([{ offset: 0, next: 5, key: undefined, bytes: expect.any(Number) }])
  }
})

test.each([
  ['are missing', gzipSync(Buffer.concat(records.slice(1))), '1 of them are missing'],
  ['are cut off', gzipSync(Buffer.concat(records).subarray(0, -1)), '1 of them are missing'],
  ['cannot be decompressed', Buffer.from('nothing of the kind'), 'incorrect header check'],
  ['have no length', gzipSync(Buffer.alloc(1000)), 'a record says that it has 0 bytes'],
])('splitBatch yields what is whole and then throws when records %s', async (_, body, found) => {
  const seen: ReadRecord[] = []
  const reading = (async () => {
    for await (const piece of splitBatch(batchOf(1, body), 500)) seen.push(...readAll(piece as Buffer))
  })()
  const expected = { code: 'record_batch_corrupt', message: expect.stringContaining(found) }
  await expect(reading).rejects.toMatchObject(expected)
  if (found.includes('missing')) expect(seen).toHaveLength(records.length - 1)
})

function thrownBy(call: () => void): unknown {
  try {
    call()
  } catch (error) {
    return error
  }
  return undefined
}
