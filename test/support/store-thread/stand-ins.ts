/** Small stand-ins for what the parts of the store are given. */
import { CommittedBatches } from '../../../lib/kafka/committed-batches.ts'
import { type FetchedPartition, parseFetchResponse } from '../../../lib/kafka/protocol/fetch.ts'
import { RecordBatchReader } from '../../../lib/kafka/record-batch/index.ts'
import { configureLogging } from '../../../lib/log/index.ts'
import { type CounterName, counterNames, type Stats } from '../../../lib/store-protocol/stats.ts'
import type { ChangelogBatch } from '../../../lib/store-thread/ingest/changelog-batch.ts'
import type { StoreContext } from '../../../lib/store-thread/store-context.ts'
import { type FetchAnswer, fetchResponse } from '../kafka/fakes/responses.ts'

/** Collects what is logged from now on: level and message, without time and area. */
export function captureLog(): string[] {
  const lines: string[] = []
  const write = (line: string) =>
    void lines.push(
      line
        .slice(25)
        .trimEnd()
        .replace(/ +\S+ +/, ' '),
    )
  configureLogging({ level: 'debug', structured: false, write })
  return lines
}

/** Partition 0 of a Fetch response with these record batches. */
export function fetched(records: Buffer, answer: Partial<FetchAnswer> = {}): FetchedPartition {
  return parseFetchResponse(fetchResponse('topic', [{ partition: 0, records, ...answer }])).partitions[0]!
}

/** A reader at the first batch of some bytes, its records open. */
export function opened(bytes: Buffer): RecordBatchReader {
  const batches = new CommittedBatches()
  batches.open(fetched(bytes), 0)
  batches.next()
  batches.batch.openRecords({ checkCrc: true })
  return batches.batch
}

export interface BatchRecord {
  key: string
  value: string | null
  src: number
  timestamp: number
}

/** What a batch would write. */
export function contentOf(batch: ChangelogBatch): BatchRecord[] {
  const reader = new RecordBatchReader()
  const bytes = batch.seal({ producerId: 1, producerEpoch: 0, baseSequence: 0 })
  reader.open(bytes, 0, bytes.length)
  reader.nextBatch()
  reader.openRecords({ checkCrc: true })
  const records: BatchRecord[] = []
  while (reader.nextRecord()) {
    const { data, keyStart, keyLength, valueStart, valueLength, timestamp } = reader
    records.push({
      key: data.toString('latin1', keyStart, keyStart + keyLength),
      value: valueLength < 0 ? null : data.toString('latin1', valueStart, valueStart + valueLength),
      src: reader.sourceOffset(),
      timestamp,
    })
  }
  return records
}

/** The counters that are not zero. */
export function counted(stats: Stats): Partial<Record<CounterName, number>> {
  const pairs = counterNames.map((name) => [name, stats.count(name)] as const)
  return Object.fromEntries(pairs.filter(([, value]) => value !== 0))
}

/** The memory of a store thread, with room until it is held. */
export function memoryStandIn() {
  const listeners: (() => void)[] = []
  let isHeld = false
  let isFull = false
  /** What still fits. */
  const room = { bytes: Number.POSITIVE_INFINITY }
  const memory = {
    get mayRead() {
      return !isHeld
    },
    get mayIngest() {
      return !isHeld
    },
    get isFull() {
      return isFull
    },
    room: { fits: (bytes: number) => bytes <= room.bytes },
    onChange: (listener: () => void) => void listeners.push(listener),
    check: () => {},
    countPending: () => {},
    freed: () => {},
  } as unknown as StoreContext['memory']
  const hold = (isHeldNow = true, isFullNow = false) => {
    isHeld = isHeldNow
    isFull = isFullNow
    for (const listener of listeners) listener()
  }
  return { memory, hold, room }
}
