/**
 * Collects what other producers wrote to a part of the changelog: the last record of each key, unless one of our
 * records follows it.
 */
import type { KafkaClient } from '../../kafka/client.ts'
import type { RecordBatchReader } from '../../kafka/record-batch/index.ts'
import type { ProducerIdentity } from '../../kafka/transactional-id.ts'
import { type LogPart, openBatches } from '../recovery/log-batches.ts'
import { orderOf } from '../recovery/source-trail.ts'
import type { UnheldRecord } from '../recovery/unheld-records.ts'

/** Maximum of the bytes of keys and values, and the overhead of an entry. */
const bytesMaxDefault = 16 << 20
const entryOverheadBytes = 128

export interface ForeignRecord {
  /** See orderOf(). */
  order: number
  /** null for a tombstone; undefined for a record that is too large to hold. */
  value: Buffer | null | undefined
}

export interface ForeignRecords {
  /** By key (latin1). */
  records: Map<string, ForeignRecord>
  /** Offset to continue at, if the records did not fit. */
  next: number
}

export interface ForeignSink {
  /** Receives each record that is too large to hold. */
  readonly unheld?: UnheldRecord
  /** Receives each marker. */
  readonly marker?: (batch: RecordBatchReader, isOwn: boolean) => void
}

export async function foreignRecords(
  client: KafkaClient,
  topic: string,
  partition: number,
  part: LogPart,
  isOwn: (written: ProducerIdentity) => boolean,
  { unheld, marker }: ForeignSink = {},
  bytesMax = bytesMaxDefault,
): Promise<ForeignRecords> {
  const records = new Map<string, ForeignRecord>()
  let bytes = 0
  const notePassedOver: UnheldRecord = (fault, next, key) => {
    unheld?.(fault, next, key)
    if (key === undefined) return
    // Its headers are not read, so it counts like a record without a source offset.
    records.set(key.toString('latin1'), { order: -1, value: undefined })
    bytes += key.length + entryOverheadBytes
  }
  for await (const batch of openBatches(client, topic, partition, part, {
    withMarkers: true,
    unheld: notePassedOver,
  })) {
    const isForeign = !isOwn(batch)
    if (batch.isControl) {
      marker?.(batch, !isForeign)
      continue
    }
    if (!isForeign && records.size === 0) continue
    while (batch.nextRecord()) {
      const { data, keyStart, keyLength, valueStart, valueLength } = batch
      if (batch.undecodable || keyLength < 0 || batch.offset < part.from) continue
      const key = data.toString('latin1', keyStart, keyStart + keyLength)
      if (!isForeign) {
        records.delete(key)
        continue
      }
      const value = valueLength < 0 ? null : Buffer.from(data.subarray(valueStart, valueStart + valueLength))
      records.set(key, { order: orderOf(batch), value })
      bytes += keyLength + Math.max(valueLength, 0) + entryOverheadBytes
    }
    if (bytes > bytesMax) return { records, next: batch.nextOffset }
  }
  return { records, next: part.to }
}
