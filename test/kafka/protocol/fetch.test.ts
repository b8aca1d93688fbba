import { expect, test } from 'bun:test'
import { type FetchOptions, fetchRequest, parseFetchResponse } from '../../../lib/kafka/protocol/fetch.ts'
import {
  bodyOf,
  fetchPositions,
  fetchResponse,
  fetchResponseById,
  int16,
  int32,
  int64,
} from '../../support/kafka/fakes/responses.ts'

const options: FetchOptions = {
  maxWaitMs: 500,
  minBytes: 1,
  maxBytes: 8000,
  partitionMaxBytes: 1000,
  isolation: 'read_committed',
  rack: 'here',
}

test('fetchRequest writes the bytes of version 11 when given positions', () => {
  const request = fetchRequest('orders', [{ partition: 3, offset: 2 ** 40 }], options)
  expect(request).toMatchObject({ apiKey: 1, apiVersion: 11 })
  const expected = Buffer.concat([
    int32(-1, 500, 1, 8000),
    Buffer.from([1]),
    int32(0, -1, 1),
    int16(6),
    Buffer.from('orders'),
    int32(1, 3, -1),
    int64(2 ** 40, -1),
    int32(1000, 0),
    int16(4),
    Buffer.from('here'),
  ])
  expect(bodyOf(request)).toEqual(expected)
})

test('fetchRequest writes the bytes of version 13 when given a topic id', () => {
  const id = 'abcdefghijklmnopqrstuw'
  const positions = [{ partition: 3, offset: 2 ** 40, leaderEpoch: 7 }]
  const request = fetchRequest('orders', positions, options, { id, versionMax: 17 })
  expect(request).toMatchObject({ apiKey: 1, apiVersion: 13 })
  const expected = Buffer.concat([
    Buffer.from([0]),
    int32(-1, 500, 1, 8000),
    Buffer.from([1]),
    int32(0, -1),
    Buffer.from([2]),
    Buffer.from(id, 'base64url'),
    Buffer.from([2]),
    int32(3, 7),
    int64(2 ** 40),
    int32(-1),
    int64(-1),
    int32(1000),
    Buffer.from([0, 0, 1, 5]),
    Buffer.from('here'),
    Buffer.from([0]),
  ])
  expect(bodyOf(request)).toEqual(expected)
})

test.each([3, 300, 20_000])('parseFetchResponse reads version 13 with %p bytes of records', (bytes) => {
  const records = Buffer.alloc(bytes, 1)
  const aborted = [{ producerId: 5, firstOffset: 60 }]
  const id = 'abcdefghijklmnopqrstuw'
  const response = fetchResponseById(id, [
    { partition: 1, lastStableOffset: 70, highWatermark: 80, logStartOffset: 3, aborted, records },
    { partition: 2, errorCode: 74 },
  ])
  const { errorCode, partitions } = parseFetchResponse(response, 13)
  expect(errorCode).toBe(0)
  expect(partitions).toMatchObject([
    {
      partition: 1,
      errorCode: 0,
      lastStableOffset: 70,
      highWatermark: 80,
      logStartOffset: 3,
      abortedTransactions: aborted,
    },
    { partition: 2, errorCode: 74 },
  ])
  const [{ buffer, start, end }] = partitions as [(typeof partitions)[0]]
  expect(buffer.subarray(start, end)).toEqual(records)
  expect(partitions[1]!.start).toBe(partitions[1]!.end)
})

test('fetchRequest keeps every position when there are more than its first estimate of bytes', () => {
  const positions = Array.from({ length: 1000 }, (_, partition) => ({ partition, offset: partition * 7 }))
  const request = fetchRequest('ü'.repeat(200), positions, { ...options, isolation: 'read_uncommitted' })
  expect(fetchPositions(request)).toEqual(positions.map((position) => ({ ...position, maxBytes: 1000 })))
  expect(bodyOf(request)[16]).toBe(0)
})

const sample = fetchResponse('orders', [
  {
    partition: 4,
    highWatermark: 90,
    lastStableOffset: 80,
    logStartOffset: 10,
    aborted: [{ producerId: 7, firstOffset: 20 }],
    records: Buffer.from('some records'),
  },
  { partition: 5, errorCode: 6, lastStableOffset: -1 },
])

test('parseFetchResponse reports each partition when the response is whole', () => {
  const { errorCode, partitions } = parseFetchResponse(sample)
  expect(errorCode).toBe(0)
  expect(partitions).toMatchObject([
    {
      partition: 4,
      errorCode: 0,
      highWatermark: 90,
      lastStableOffset: 80,
      logStartOffset: 10,
      abortedTransactions: [{ producerId: 7, firstOffset: 20 }],
      preferredReadReplica: -1,
    },
    { partition: 5, errorCode: 6, abortedTransactions: [] },
  ])
  const { buffer, start, end } = partitions[0]!
  expect(buffer.subarray(start, end).toString()).toBe('some records')
  expect(partitions[1]!.end).toBe(partitions[1]!.start)
})

test('parseFetchResponse takes null arrays and null records for none', () => {
  const bytes = Buffer.from(fetchResponse('orders', [{ partition: 4, lastStableOffset: 1 }]))
  bytes.writeInt32BE(-1, bytes.length - 12) // aborted transactions
  bytes.writeInt32BE(-1, bytes.length - 4) // records
  const [partition] = parseFetchResponse(bytes).partitions
  expect(partition).toMatchObject({ abortedTransactions: [], start: bytes.length, end: bytes.length })
})

test('parseFetchResponse calls a response malformed when it is cut off anywhere', () => {
  for (let length = 0; length < sample.length; length++) {
    const cut = Buffer.from(sample.subarray(0, length))
    expect(() => parseFetchResponse(cut), `cut to ${length} bytes`).toThrow(
      expect.objectContaining({ code: 'response_malformed', retriable: true }),
    )
  }
})

test('parseFetchResponse calls a response malformed when its numbers lead past its end', () => {
  const atTopics = 10
  const atPartitions = atTopics + 4 + 2 + 6
  for (const at of [atTopics, atPartitions, atPartitions + 4 + 30]) {
    const wrong = Buffer.from(sample)
    wrong.writeInt32BE(2 ** 31 - 1, at)
    expect(() => parseFetchResponse(wrong)).toThrow(expect.objectContaining({ code: 'response_malformed' }))
  }
})
