/** A partition in ingest whose changelog is amended, beside a map and without a broker: the test takes batches and acknowledges them. */
import { RecordBatchReader } from '../../../lib/kafka/record-batch/index.ts'
import { Amending } from '../../../lib/store-thread/ingest/amending.ts'
import { BatchPool, type ChangelogBatch } from '../../../lib/store-thread/ingest/changelog-batch.ts'
import { ConditionWaiters } from '../../../lib/store-thread/ingest/condition-waiters.ts'
import { PartitionIngest } from '../../../lib/store-thread/ingest/partition-ingest.ts'
import type { Settlement } from '../../../lib/store-thread/ingest/settlement.ts'
import type { StoreContext } from '../../../lib/store-thread/store-context.ts'
import { createFixture } from '../map/map-pair.ts'

export function setup(keepHeaders: string[] = [], batchBytes = 1 << 16) {
  const { map, put, openAll } = createFixture()
  const pool = new BatchPool(batchBytes, 4)
  const state = new PartitionIngest(0, 0, pool)
  const progress = new ConditionWaiters()
  let bytes = 0
  const settlement = {
    progress,
    account: () => void (bytes += state.takeBytesChange()),
  } as unknown as Settlement
  const flusher = { flush: async () => void (await map.publish()), room: () => undefined }
  const context = { map, flusher, config: { keepHeaders } } as unknown as StoreContext
  const hooks = { isOurs: () => ours, wake: () => {}, fetch: () => {} }
  let ours = true
  const amending = new Amending(context, pool, settlement, hooks)
  /** As when the producer writes the next batch, and the changelog acknowledges it. */
  const acknowledge = (): string[] => {
    const batch = state.takeBatch()
    if (batch === undefined) return []
    const content = recordsOf(batch)
    state.settle(batch, undefined)
    settlement.account(state)
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
      ours = false
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
