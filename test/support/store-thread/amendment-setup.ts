/** A partition in ingest whose changelog is amended, beside a map and without a broker: the test takes batches and acknowledges them. */
import { RecordBatchReader } from '../../../lib/kafka/record-batch/index.ts'
import { Amending, type AmendingContext } from '../../../lib/store-thread/ingest/amending.ts'
import { BatchPool, type ChangelogBatch } from '../../../lib/store-thread/ingest/changelog-batch.ts'
import { ConditionWaiters } from '../../../lib/store-thread/ingest/condition-waiters.ts'
import { PartitionIngest } from '../../../lib/store-thread/ingest/partition-ingest.ts'
import { PartitionTable } from '../../../lib/store-thread/ingest/partition-table.ts'
import { createFixture } from '../map/map-pair.ts'

export function setup(keepHeaders: string[] = [], batchBytes = 1 << 16) {
  const { map, put, openAll } = createFixture()
  const pool = new BatchPool(batchBytes, 4)
  const state = new PartitionIngest(0, 0, pool)
  const progress = new ConditionWaiters()
  const partitions = new PartitionTable()
  partitions.add(state)
  let bytes = 0
  const accounting = { progress, account: () => void (bytes += state.takeBytesChange()) }
  const flusher = { flush: async () => void (await map.publish()), room: () => undefined }
  const producer = { wake: () => {} }
  const fetcher = { update: () => {} }
  const context = { map, flusher, config: { keepHeaders }, pool, partitions, producer, fetcher, accounting }
  const amending = new Amending(context as unknown as AmendingContext)
  /** As when the producer writes the next batch, and the changelog acknowledges it. */
  const acknowledge = (): string[] => {
    const batch = state.takeBatch()
    if (batch === undefined) return []
    const content = recordsOf(batch)
    state.settle(batch, undefined)
    accounting.account()
    progress.made()
    return content
  }
  return {
    map,
    put,
    openAll,
    state,
    pool,
    progress,
    amending,
    acknowledge,
    unsettledBytes: () => bytes,
    lose: () => {
      partitions.remove(0)
      progress.made()
    },
  }
}

export function ownBatch(pool: BatchPool, key: string): ChangelogBatch {
  const batch = pool.acquire()
  batch.builder.append(Buffer.from(`${key}new`), 0, key.length, key.length, 3, 5, 99)
  return batch
}

/** Each record as `key=value src 7 at 1000`, with the names of headers beside our own. */
export function recordsOf(batch: ChangelogBatch): string[] {
  batch.seal({ producerId: 1, producerEpoch: 0, baseSequence: 0 })
  const reader = batch.openIn(new RecordBatchReader())
  const records: string[] = []
  while (reader.nextRecord()) {
    const { data, keyStart, keyLength, valueStart, valueLength, timestamp, headerCount } = reader
    const key = data.toString('latin1', keyStart, keyStart + keyLength)
    const value = valueLength < 0 ? '-' : data.toString('latin1', valueStart, valueStart + valueLength)
    const src = reader.sourceOffset()
    const own =
      src === -1 && reader.afterOffset() === -1 ? '' : src === -1 ? ` aft ${reader.afterOffset()}` : ` src ${src}`
    const others = headerCount - (own === '' ? 0 : 1)
    records.push(`${key}=${value}${own}${others > 0 ? ` +${others}` : ''}${valueLength < 0 ? '' : ` at ${timestamp}`}`)
  }
  return records
}
