import { expect, test } from 'bun:test'
import { batchBytesOfOne, hardMaxBytes } from '../../../lib/kafka/record-batch/index.ts'
import { BatchPool } from '../../../lib/store-thread/ingest/changelog-batch.ts'
import { SizeLimit } from '../../../lib/store-thread/ingest/size-limit.ts'

function limitOf(maxMessageBytes: number, compressibleBytesMax?: number): SizeLimit {
  const limits = { maxMessageBytes, timestampBeforeMaxMs: 0, timestampAfterMaxMs: 0, keepsTimestamps: true }
  return new SizeLimit(limits, new BatchPool(1000, 1), compressibleBytesMax)
}

/** The longest value whose record fits so many bytes beside a key of one byte. */
function largestIn(bytes: number): number {
  let length = bytes - 100
  while (batchBytesOfOne(1, length + 1, true) <= bytes) length++
  return length
}

test('a record exceeds the limit from one byte on', () => {
  const [limit, largest] = [limitOf(1000), largestIn(1000)]
  expect([limit.isExceeded(1, largest, undefined), limit.isExceeded(1, largest + 1, undefined)]).toEqual([false, true])
})

test('a record exceeds the limit of a batch, for any limit of the changelog', () => {
  const [limit, largest] = [limitOf(Number.MAX_SAFE_INTEGER), largestIn(hardMaxBytes)]
  expect([limit.isExceeded(1, largest, undefined), limit.isExceeded(1, largest + 1, undefined)]).toEqual([false, true])
  expect(limit.isHopeless(1, largest + 1, undefined)).toBe(true)
  expect(limit.fault(1, largest + 1, undefined)).toEndWith(
    `it exceeds the ${hardMaxBytes} bytes that can be stored at most`,
  )
})

test('the message about a record says whether compression was tried', () => {
  const limit = limitOf(1000, 5000)
  expect(limit.fault(1, 4000, undefined)).toBe(
    "with key and value of 4001 bytes it exceeds the changelog's max.message.bytes=1000, even compressed by itself",
  )
  expect(limit.fault(1, 5000, undefined)).toContain('5001 bytes it exceeds the 5000 bytes that can be stored at most')
})
