/** Whether the source is still the topic that was ingested: its record at the last ingested offset tells. */
import { CommittedBatches } from '../../kafka/committed-batches.ts'
import { type KafkaClient } from '../../kafka/client.ts'
import { storedTimestamp } from '../../kafka/record-batch/index.ts'
import { LatchkeyError } from '../../errors.ts'
import { fetchAt } from './fetch-at.ts'
import { type SourceRecord } from './source-trail.ts'

/**
 * True where the source has another record at that offset than the one ingested. False where it has the same, or none there any more
 * (compacted away, or behind its log start), which proves nothing.
 * @param keepsTimestamps whether the changelog has the source's timestamps, so that they can be compared
 */
export async function isRecreated(
  client: KafkaClient,
  topic: string,
  partition: number,
  expected: SourceRecord,
  keepsTimestamps: boolean,
): Promise<boolean> {
  const fetched = await fetchAt(client, topic, partition, expected.offset)
  if (fetched === undefined) return false
  const batches = new CommittedBatches()
  batches.open(fetched, expected.offset)
  try {
    for (let kind = batches.next(); kind !== undefined; kind = batches.next()) {
      const { batch } = batches
      if (batch.baseOffset > expected.offset) return false
      // What was ingested stood in no such batch.
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
