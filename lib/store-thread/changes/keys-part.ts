/** Reads the keys that a part of a changelog partition changes: for followers that continue at an old place. */
import { LatchkeyError } from '../../errors.ts'
import type { KafkaClient } from '../../kafka/client.ts'
import { listOffsets } from '../../kafka/offsets.ts'
import type { KeysPart } from '../../store-protocol/changed-keys.ts'
import { type LogPart, openBatches } from '../recovery/log-batches.ts'
import { PartBuilder } from './part-builder.ts'

export type PartRead = Omit<KeysPart, 'readAt' | 'deleteRetentionMs'>

export interface PartBounds {
  /** A part ends with the batch that reaches one of these. */
  readonly keyBytes: number
  readonly fetchedBytes: number
}

/** 20,000 keys of 16 bytes. A part of large values is read in about a tenth of a second. */
const defaultBounds: PartBounds = { keyBytes: 1 << 20, fetchedBytes: 16 << 20 }
/** How often the end is requested again: a new leader may not know at once that all replicas have the last records. */
const endTries = 6

/**
 * @returns the keys from an offset on, perhaps not up to the end; undefined if the log does not have all of these
 * offsets. Retries every retryable error indefinitely. Rejects with record_batch_corrupt if the log is damaged
 */
export async function readKeysPart(
  client: KafkaClient,
  topic: string,
  partition: number,
  { from, to }: LogPart,
  bounds = defaultBounds,
): Promise<PartRead | undefined> {
  const part = new PartBuilder()
  let [fetchedBytes, next] = [0, to]
  for await (const batch of openBatches(client, topic, partition, { from, to })) {
    while (batch.nextRecord()) {
      const { data, keyStart, keyLength, offset } = batch
      if (offset < from || offset >= to || batch.undecodable || keyLength < 0) continue
      part.add(data, keyStart, keyLength, offset, batch.sourceOffset())
    }
    fetchedBytes += batch.batchBytes
    if (part.bytes < bounds.keyBytes && fetchedBytes < bounds.fetchedBytes) continue
    next = Math.min(batch.nextOffset, to)
    break
  }
  if (!(await hasOffsets(client, topic, partition, { from, to: next }, endTries))) return undefined
  return { partition, from, to: next, records: part.build() }
}

/**
 * Returns whether the log has these offsets. Readers skip those that it has lost at its start, and end early otherwise.
 * @param tries how often the end is requested
 */
export async function hasOffsets(
  client: KafkaClient,
  topic: string,
  partition: number,
  { from, to }: LogPart,
  tries = 1,
): Promise<boolean> {
  const start = await client.retryForever(() => listOffsets(client, topic, [partition], 'earliest'))
  if (start.get(partition)! > from) return false
  let left = tries
  return client.retryForever(async () => {
    const ends = await listOffsets(client, topic, [partition], 'latest', 'read_uncommitted')
    if (ends.get(partition)! >= to) return true
    if (--left <= 0) return false
    const found = `it ends at offset ${ends.get(partition)}, and ${to} was visible`
    throw new LatchkeyError('broker_error', `Reading keys of ${topic} partition ${partition}: ${found}`, {
      details: { partitions: [partition] },
    })
  })
}
