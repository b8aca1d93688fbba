/** Whether the source is still the topic that was ingested: its record at the last ingested offset tells. */
import { CommittedBatches } from '../kafka/committed-batches.ts'
import { type KafkaClient } from '../kafka/client.ts'
import { brokerError } from '../kafka/error-codes.ts'
import { fetchRequest, parseFetchResponse } from '../kafka/fetch.ts'
import { storedTimestamp } from '../kafka/record-batch/index.ts'
import { LatchkeyError } from '../errors.ts'
import { plainFetch } from './fetch-options.ts'
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
  await client.leaders(topic, [partition])
  const node = client.leader(topic, partition)
  if (node === undefined) throw brokerError(`Reading ${topic} partition ${partition}`, 5)
  const options = { ...plainFetch, maxWaitMs: 0, isolation: client.isolation }
  const request = fetchRequest(topic, [{ partition, offset: expected.offset }], options)
  const [fetched] = parseFetchResponse(await client.send(node, request, client.requestTimeoutMs)).partitions
  if (fetched === undefined || fetched.errorCode === outOfRange) return false
  if (fetched.errorCode !== 0) {
    client.forgetLeader(topic, partition)
    throw brokerError(`Reading ${topic} partition ${partition}`, fetched.errorCode)
  }
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

const outOfRange = 1
