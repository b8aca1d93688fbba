import { RecordBatchBuilder } from '../../../lib/kafka/record-batch/index.ts'
import { murmur2 } from '../../../lib/map/index.ts'

/** A batch of one record and the partition that producers put its key into. */
export function oneRecord(key: string, value: string, partitions: number): { partition: number; bytes: Buffer } {
  const bytes = Buffer.from(key + value)
  const keyLength = Buffer.byteLength(key)
  const builder = new RecordBatchBuilder(1024)
  builder.append(bytes, 0, keyLength, keyLength, bytes.length - keyLength, Date.now(), -1)
  const partition = (murmur2(bytes, 0, keyLength) & 0x7fffffff) % partitions
  return { partition, bytes: builder.seal({ producerId: -1, producerEpoch: -1, baseSequence: -1 }) }
}
