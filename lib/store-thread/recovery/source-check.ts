/** Detects by one record, at the last ingested offset, whether the source is still the topic that was ingested. */
import { LatchkeyError } from '../../errors.ts'
import type { KafkaClient } from '../../kafka/client.ts'
import { CommittedBatches } from '../../kafka/committed-batches.ts'
import { storedTimestamp } from '../../kafka/record-batch/index.ts'
import { batchAt } from './batch-at.ts'
import type { SourcePosition } from './source-trail.ts'

/**
 * Returns true if the source has a different record at that offset. Returns false if it has the same record, or no
 * record at that offset any more (compacted, or below its log start offset), which proves nothing.
 * @param keepsTimestamps whether the changelog has the source's timestamps, so that they can be compared
 */
export async function isRecreated(
  client: KafkaClient,
  topic: string,
  partition: number,
  expected: SourcePosition,
  keepsTimestamps: boolean,
): Promise<boolean> {
  const fetched = await batchAt(client, topic, partition, expected.offset)
  if (fetched === undefined) return false
  const batches = new CommittedBatches()
  batches.open(fetched, expected.offset)
  try {
    for (let kind = batches.next(); kind !== undefined; kind = batches.next()) {
      const { batch } = batches
      if (batch.baseOffset > expected.offset) return false
      // Records of such a batch (aborted, or control) are never ingested.
      if (kind !== 'records') return true
      batch.openRecords({ checkCrc: true })
      while (batch.nextRecord()) {
        if (batch.offset < expected.offset) continue
        if (batch.offset > expected.offset || batch.undecodable) return false
        const key = batch.data.subarray(batch.keyStart, batch.keyStart + Math.max(batch.keyLength, 0))
        return !expected.key.equals(key) || (keepsTimestamps && expected.timestamp !== storedTimestamp(batch.timestamp))
      }
    }
  } catch (error) {
    if (error instanceof LatchkeyError && error.code === 'record_batch_corrupt') return false
    throw error
  }
  return false
}
