/** Reads a topic as it stands in the log, batches and all, and folds it: what a store of it has to hold. */
import { KafkaClient } from '../../../lib/kafka/client.ts'
import { type BatchKind, CommittedBatches } from '../../../lib/kafka/committed-batches.ts'
import { listOffsets } from '../../../lib/kafka/offsets.ts'
import { type FetchOptions, fetchRequest, parseFetchResponse } from '../../../lib/kafka/protocol/fetch.ts'
import { toAddresses } from '../kafka/real-client.ts'

const fetchOptions: FetchOptions = {
  maxWaitMs: 100,
  minBytes: 1,
  maxBytes: 8 << 20,
  partitionMaxBytes: 8 << 20,
  isolation: 'read_committed',
  rack: '',
}

export interface LogRecord {
  partition: number
  offset: number
  /** Bytes as latin1, so that no two keys become one. */
  key: string | null
  value: string | null
  timestamp: number
  /** Value of the header `src`; -1 without. */
  src: number
  /** Value of the header `aft`; -1 without. */
  aft: number
}

export interface LogBatch {
  partition: number
  kind: BatchKind
  baseOffset: number
  nextOffset: number
  recordCount: number
  producerId: number
  producerEpoch: number
  /** Highest of its records, or when the broker wrote the marker that it is. */
  timestamp: number
}

export interface Log {
  /** What a read_committed consumer gets, partition by partition. */
  records: LogRecord[]
  batches: LogBatch[]
  /** Log start offset and last stable offset of each partition. */
  starts: Map<number, number>
  ends: Map<number, number>
}

export function readLog(bootstrap: string, topic: string): Promise<Log> {
  return withClient(bootstrap, (client) =>
    client.retryForever(async () => {
      const [found] = await client.metadata([topic])
      const partitions = found!.partitions.map(({ partition }) => partition)
      const starts = await listOffsets(client, topic, partitions, 'earliest')
      const ends = await listOffsets(client, topic, partitions, 'latest')
      const log: Log = { records: [], batches: [], starts, ends }
      for (const partition of partitions) await readPartition(client, topic, partition, log)
      return log
    }),
  )
}

/** Calls `use` with a client of our own that is closed afterwards. */
export async function withClient<T>(bootstrap: string, use: (client: KafkaClient) => Promise<T>): Promise<T> {
  const client = new KafkaClient({
    subject: 'test',
    brokers: toAddresses(bootstrap),
    clientId: 'test',
    connectionTimeoutMs: 10_000,
    requestTimeoutMs: 30_000,
  })
  try {
    return await use(client)
  } finally {
    client.close()
  }
}

async function readPartition(client: KafkaClient, topic: string, partition: number, log: Log): Promise<void> {
  const batches = new CommittedBatches()
  const { batch } = batches
  for (let position = log.starts.get(partition)!; position < log.ends.get(partition)!;) {
    const [node = -1] = (await client.leaders(topic, [partition])).keys()
    const request = fetchRequest(topic, [{ partition, offset: position }], fetchOptions)
    const [fetched] = parseFetchResponse(await client.send(node, request, client.requestTimeoutMs)).partitions
    if (fetched!.errorCode !== 0) throw new Error(`read ${topic} partition ${partition}: error ${fetched!.errorCode}`)
    batches.open(fetched!, position)
    for (let kind = batches.next(); kind !== undefined; kind = batches.next()) {
      const { baseOffset, nextOffset, recordCount, producerId, producerEpoch, maxTimestamp: timestamp } = batch
      log.batches.push({ partition, kind, baseOffset, nextOffset, recordCount, producerId, producerEpoch, timestamp })
      if (kind === 'records') takeRecords(batch, partition, position, log.records)
      position = nextOffset
    }
  }
}

function takeRecords(batch: CommittedBatches['batch'], partition: number, from: number, records: LogRecord[]): void {
  batch.openRecords({ checkCrc: true })
  while (batch.nextRecord()) {
    const { data, keyStart, keyLength, valueStart, valueLength, offset, timestamp } = batch
    if (offset < from) continue
    const key = keyLength < 0 ? null : data.toString('latin1', keyStart, keyStart + keyLength)
    const value = valueLength < 0 ? null : data.toString('latin1', valueStart, valueStart + valueLength)
    records.push({ partition, offset, key, value, timestamp, src: batch.sourceOffset(), aft: batch.afterOffset() })
  }
}

/** The last record of each key; those whose last record is a tombstone with value null. Records without a key are left out. */
export function fold(records: readonly LogRecord[]): Map<string, LogRecord> {
  const last = new Map<string, LogRecord>()
  for (const record of records) if (record.key !== null) last.set(record.key, record)
  return last
}

/** Keys and values that a store of these records serves. */
export function live(records: readonly LogRecord[]): Map<string, string> {
  const values = new Map<string, string>()
  for (const [key, { value }] of fold(records)) if (value !== null) values.set(key, value)
  return values
}

const differencesMax = 5

/** The first few keys with other values, as `key: expected, found`. */
export function differences(expected: ReadonlyMap<string, string>, found: ReadonlyMap<string, string>): string[] {
  return [...new Set([...expected.keys(), ...found.keys()])]
    .filter((key) => expected.get(key) !== found.get(key))
    .slice(0, differencesMax)
    .map((key) => `${key}: ${expected.get(key)}, found ${found.get(key)}`)
}
