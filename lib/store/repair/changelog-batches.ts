/** The batches of a part of the changelog, one after another, outside of any fetch loop. */
import { sleep } from '../../kafka/backoff.ts'
import { type KafkaClient } from '../../kafka/client.ts'
import { CommittedBatches } from '../../kafka/committed-batches.ts'
import { listOffsets } from '../../kafka/offsets.ts'
import { type RecordBatchReader } from '../../kafka/record-batch/index.ts'
import { fetchAt } from '../recovery/fetch-at.ts'

/** Another producer's open transaction hides what lies behind its begin. */
const openTransactionPauseMs = 200

export interface LogPart {
  from: number
  /** Batches that begin here or later are not in it. */
  to: number
}

/** Each batch with its records open. Ends early where the log is cut off meanwhile. Holds one Fetch response at a time. */
export async function* changelogBatches(
  client: KafkaClient,
  topic: string,
  partition: number,
  { from, to }: LogPart,
): AsyncGenerator<RecordBatchReader, void, undefined> {
  const batches = new CommittedBatches()
  const { batch } = batches
  for (let position = from; position < to;) {
    const fetched = await client.persist(() => fetchAt(client, topic, partition, position))
    if (fetched === undefined) return
    const before = position
    batches.open(fetched, position)
    for (let kind = batches.next(); kind !== undefined; kind = batches.next()) {
      if (batch.baseOffset >= to) return
      if (kind === 'records') {
        batch.openRecords({ checkCrc: true })
        yield batch
      }
      position = batch.nextOffset
    }
    if (position > before) continue
    const ends = await client.persist(() => listOffsets(client, topic, [partition], 'latest', 'read_uncommitted'))
    if (ends.get(partition)! < to) return
    await sleep(openTransactionPauseMs, client.signal)
    if (client.signal.aborted) return
  }
}
