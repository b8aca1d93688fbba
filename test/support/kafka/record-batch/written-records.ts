/** The records of a batch as it goes to the changelog, in a form that a test can hold. */
import { RecordBatchReader } from '../../../../lib/kafka/record-batch/index.ts'

/** Key, value, `src` and `aft` of each. */
export function recordsOf(batch: Buffer): string[] {
  const reader = new RecordBatchReader()
  const records: string[] = []
  reader.open(batch, 0, batch.length)
  while (reader.nextBatch()) {
    reader.openRecords({ checkCrc: true })
    while (reader.nextRecord()) {
      const { data, keyStart, keyLength, valueStart, valueLength } = reader
      const key = data.toString('utf8', keyStart, keyStart + keyLength)
      const value = valueLength < 0 ? null : data.toString('utf8', valueStart, valueStart + valueLength)
      records.push(`${key}=${value} src=${reader.sourceOffset()} aft=${reader.afterOffset()}`)
    }
  }
  return records
}
