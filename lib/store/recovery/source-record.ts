/** One record of the source, looked up again. */
import { type KafkaClient } from '../../kafka/client.ts'
import { CommittedBatches } from '../../kafka/committed-batches.ts'
import { LatchkeyError } from '../../errors.ts'
import { type RecordBatchReader } from '../../kafka/record-batch/index.ts'
import { fetchAt } from './fetch-at.ts'

/** A reader that stands at the record; undefined where it is there no more, or cannot be read. Rejects with what the caller may repeat. */
export async function findSourceRecord(
  client: KafkaClient,
  topic: string,
  partition: number,
  offset: number,
): Promise<RecordBatchReader | undefined> {
  const fetched = await fetchAt(client, topic, partition, offset)
  if (fetched === undefined) return undefined
  const batches = new CommittedBatches()
  batches.open(fetched, offset)
  try {
    if (batches.next() !== 'records') return undefined
    const { batch } = batches
    batch.openRecords({ checkCrc: true })
    while (batch.nextRecord()) if (batch.offset >= offset) return batch.offset === offset ? batch : undefined
  } catch (error) {
    if (!(error instanceof LatchkeyError) || error.code !== 'record_batch_corrupt') throw error
  }
  return undefined
}
