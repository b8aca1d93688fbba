/** Legal batches of a few kilobytes that decompress to more than may be in memory at once. */
import { gzipSync } from 'node:zlib'
import { maxDecompressedBytes } from '../../../../lib/kafka/record-batch/index.ts'
import { headerOf, rawBatch, rawRecord } from './raw-batch.ts'

export const oversizedRecords = 140

const gzip = 1
let body: Buffer | undefined
const hugeBodies = new Map<string, Buffer>()

/** Records `key 0`, `key 1` … with source offsets from 0 on, each a value of 1 MiB. */
export function oversizedBatch(at: number, producer: { producerId?: bigint; producerEpoch?: number } = {}): Buffer {
  body ??= gzipSync(Buffer.concat(Array.from({ length: oversizedRecords }, (_, src) => record(src))), { level: 1 })
  return rawBatch({ baseOffset: BigInt(at), attributes: gzip, body, recordCount: oversizedRecords, ...producer })
}

function record(src: number): Buffer {
  const headers = [['src', headerOf(src)]] as const
  return rawRecord({ offsetDelta: src, key: `key ${src}`, value: Buffer.alloc(1 << 20), headers })
}

/** One record that is larger than a store can hold. */
export function unheldBatch(at: number, key: string, producer: { producerId?: bigint; producerEpoch?: number } = {}) {
  const huge = () => gzipSync(rawRecord({ key, value: Buffer.alloc(maxDecompressedBytes + 1) }), { level: 1 })
  const records = hugeBodies.get(key) ?? huge()
  hugeBodies.set(key, records)
  return rawBatch({ baseOffset: BigInt(at), attributes: gzip, body: records, recordCount: 1, ...producer })
}
