/** Reads one record of the source again. */
import { LatchkeyError } from '../../errors.ts'
import type { KafkaClient } from '../../kafka/client.ts'
import type { RecordBatchReader } from '../../kafka/record-batch/index.ts'
import { openBatches } from './log-batches.ts'

/** Returns a reader positioned at the record; undefined if the log no longer has it or it cannot be read. */
export async function findSourceRecord(
  client: KafkaClient,
  topic: string,
  partition: number,
  offset: number,
): Promise<RecordBatchReader | undefined> {
  try {
    for await (const batch of openBatches(client, topic, partition, { from: offset, to: offset + 1 })) {
      while (batch.nextRecord()) if (batch.offset >= offset) return batch.offset === offset ? batch : undefined
    }
  } catch (error) {
    if (!(error instanceof LatchkeyError) || error.code !== 'record_batch_corrupt') throw error
  }
  return undefined
}
