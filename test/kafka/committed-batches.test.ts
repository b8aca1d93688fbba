import { expect, test } from 'bun:test'
import { gzipSync } from 'node:zlib'
import { CommittedBatches } from '../../lib/kafka/committed-batches.ts'
import { parseFetchResponse } from '../../lib/kafka/protocol/fetch.ts'
import { type FetchAnswer, fetchResponse } from '../support/kafka/fakes/responses.ts'
import { rawBatch, rawRecord } from '../support/kafka/record-batch/raw-batch.ts'

const transactional = 0x10
const control = 0x20

interface Sample {
  at: number
  producer?: number
  count?: number
  key?: string
}

function records({ at, producer, count = 1, key = 'key' }: Sample): Buffer {
  return rawBatch({
    baseOffset: BigInt(at),
    producerId: BigInt(producer ?? -1),
    attributes: producer === undefined ? 0 : transactional,
    records: Array.from({ length: count }, (_, offsetDelta) => rawRecord({ offsetDelta, key })),
  })
}

/** A control batch: 0 ends a transaction with an abort, 1 with a commit. */
function marker(at: number, producer: number, type: number): Buffer {
  const key = Buffer.from([0, 0, 0, type])
  return rawBatch({
    baseOffset: BigInt(at),
    producerId: BigInt(producer),
    attributes: transactional | control,
    records: [rawRecord({ key, value: Buffer.alloc(6) })],
  })
}

/** Kind and base offset of every batch, as reported from `position` on. */
function walk(answer: Omit<FetchAnswer, 'partition'>, position = 0): string[] {
  const [fetched] = parseFetchResponse(fetchResponse('topic', [{ partition: 0, ...answer }])).partitions
  const batches = new CommittedBatches()
  batches.open(fetched!, position)
  const seen: string[] = []
  for (let kind = batches.next(); kind !== undefined; kind = batches.next()) {
    seen.push(`${kind} ${batches.batch.baseOffset}`)
  }
  return seen
}

test('CommittedBatches reports records when no transaction was aborted', () => {
  const bytes = Buffer.concat([records({ at: 0 }), records({ at: 1, producer: 7 }), marker(2, 7, 1)])
  expect(walk({ records: bytes })).toEqual(['records 0', 'records 1', 'control 2'])
})

test('CommittedBatches hides an aborted transaction when others overlap it', () => {
  const bytes = Buffer.concat([
    records({ at: 0, producer: 1 }), // aborted at 4
    records({ at: 1, producer: 2 }), // committed at 5
    records({ at: 2 }), // not transactional
    records({ at: 3, producer: 1 }),
    marker(4, 1, 0),
    marker(5, 2, 1),
    records({ at: 6, producer: 1 }), // its next transaction, committed
    marker(7, 1, 1),
  ])
  expect(walk({ records: bytes, aborted: [{ producerId: 1, firstOffset: 0 }] })).toEqual([
    'aborted 0',
    'records 1',
    'records 2',
    'aborted 3',
    'control 4',
    'control 5',
    'records 6',
    'control 7',
  ])
})

test('CommittedBatches hides both transactions of a producer when both were aborted and the broker names them unordered', () => {
  const bytes = Buffer.concat([
    records({ at: 0, producer: 1, count: 2 }),
    records({ at: 2, producer: 2 }),
    marker(3, 1, 0),
    records({ at: 4, producer: 1 }),
    marker(5, 2, 0),
    records({ at: 6, producer: 2 }),
    marker(7, 1, 0),
  ])
  const aborted = [
    { producerId: 1, firstOffset: 4 },
    { producerId: 2, firstOffset: 2 },
    { producerId: 1, firstOffset: 0 },
  ]
  expect(walk({ records: bytes, aborted })).toEqual([
    'aborted 0',
    'aborted 2',
    'control 3',
    'aborted 4',
    'control 5',
    'records 6',
    'control 7',
  ])
})

test('CommittedBatches goes by control batches alone when a record has the key of an abort marker', () => {
  const bytes = Buffer.concat([
    records({ at: 0, producer: 1, key: '\0\0\0\0' }),
    records({ at: 1, producer: 1 }),
    marker(2, 1, 0),
  ])
  expect(walk({ records: bytes, aborted: [{ producerId: 1, firstOffset: 0 }] })).toEqual([
    'aborted 0',
    'aborted 1',
    'control 2',
  ])
})

test('CommittedBatches keeps the records of a producer that writes without a transaction when its transaction was aborted', () => {
  const plain = rawBatch({ baseOffset: 1n, producerId: 1n, records: [rawRecord({})] })
  const bytes = Buffer.concat([records({ at: 0, producer: 1 }), plain, marker(2, 1, 0)])
  expect(walk({ records: bytes, aborted: [{ producerId: 1, firstOffset: 0 }] })).toEqual([
    'aborted 0',
    'records 1',
    'control 2',
  ])
})

test('CommittedBatches skips batches that end before the position and applies their markers', () => {
  const bytes = Buffer.concat([
    records({ at: 0, producer: 1 }),
    marker(1, 1, 0),
    records({ at: 2, producer: 1, count: 3 }),
    marker(5, 1, 1),
  ])
  const answer = { records: bytes, aborted: [{ producerId: 1, firstOffset: 0 }] }
  expect(walk(answer, 3)).toEqual(['records 2', 'control 5'])
  expect(walk(answer, 5)).toEqual(['control 5'])
  expect(walk(answer, 6)).toEqual([])
})

test('CommittedBatches starts again when it is opened again', () => {
  const batches = new CommittedBatches()
  const open = (answer: Omit<FetchAnswer, 'partition'>) => {
    batches.open(parseFetchResponse(fetchResponse('topic', [{ partition: 0, ...answer }])).partitions[0]!, 0)
    return batches.next()
  }
  const bytes = records({ at: 0, producer: 1 })
  expect(open({ records: bytes, aborted: [{ producerId: 1, firstOffset: 0 }] })).toBe('aborted')
  expect(open({ records: bytes })).toBe('records')
})

test('CommittedBatches ends before the batch when that is cut off', () => {
  const whole = records({ at: 0 })
  const cut = records({ at: 1, count: 5 })
  expect(walk({ records: Buffer.concat([whole, cut.subarray(0, cut.length - 1)]) })).toEqual(['records 0'])
})

test('CommittedBatches reports batches that compaction has emptied', () => {
  const emptied = rawBatch({ baseOffset: 3n, lastOffsetDelta: 9, recordCount: 0, records: [] })
  expect(walk({ records: emptied }, 3)).toEqual(['records 3'])
})

test('CommittedBatches calls a batch corrupt when its header is impossible', () => {
  const wrong = records({ at: 0 })
  wrong.writeInt8(9, 16)
  expect(() => walk({ records: wrong })).toThrow(expect.objectContaining({ code: 'record_batch_corrupt' }))
})

test.each([
  ['lies within the batch before it', 1],
  ['is that of the batch before it', 0],
])('CommittedBatches calls a batch corrupt when its base offset, which no checksum covers, %s', (_, at) => {
  const bytes = Buffer.concat([records({ at: 0, count: 2 }), records({ at })])
  expect(() => walk({ records: bytes })).toThrow(
    expect.objectContaining({
      code: 'record_batch_corrupt',
      message: expect.stringContaining(`base offset ${at} after a batch that ends before offset 2`),
    }),
  )
})

test('a response that decompresses to much is taken in parts, the rest when it is opened again after them', () => {
  const size = 20 << 20
  const body = gzipSync(rawRecord({ value: Buffer.alloc(size) }), { level: 1 })
  const batches = Array.from({ length: 5 }, (_, at) =>
    rawBatch({ baseOffset: BigInt(at), attributes: 1, body, recordCount: 1 }),
  )
  const answer = fetchResponse('topic', [{ partition: 0, records: Buffer.concat(batches) }])
  const [fetched] = parseFetchResponse(answer).partitions
  const reader = new CommittedBatches()
  const partsOf = (bytesMax?: number) => {
    const parts: number[][] = []
    for (let position = 0; parts.length === 0 || reader.isEnough;) {
      reader.open(fetched!, position, bytesMax)
      const part: number[] = []
      while (reader.next() !== undefined) {
        reader.batch.openRecords({ checkCrc: true })
        part.push(reader.batch.baseOffset)
        position = reader.batch.nextOffset
      }
      parts.push(part)
    }
    return parts
  }
  expect(partsOf()).toEqual([[0, 1], [2, 3], [4]])
  expect(partsOf(1 << 20)).toEqual([[0], [1], [2], [3], [4], []])
  expect(partsOf(1 << 30)).toEqual([[0, 1], [2, 3], [4]])
})
