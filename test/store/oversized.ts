/** A legal batch of a few kilobytes that decompresses to more than may be in memory at once. */
import { gzipSync } from 'node:zlib'
import { headerOf, rawBatch, rawRecord } from '../kafka/record-batch/raw-batch.ts'

export const oversizedRecords = 140

const gzip = 1
let body: Buffer | undefined

/** Records `key 0`, `key 1` … with source offsets from 0 on, each a value of 1 MiB. */
export function oversizedBatch(at: number, producer: { producerId?: bigint; producerEpoch?: number } = {}): Buffer {
  body ??= gzipSync(Buffer.concat(Array.from({ length: oversizedRecords }, (_, src) => record(src))), { level: 1 })
  return rawBatch({ baseOffset: BigInt(at), attributes: gzip, body, recordCount: oversizedRecords, ...producer })
}

function record(src: number): Buffer {
  const headers = [['src', headerOf(src)]] as const
  return rawRecord({ offsetDelta: src, key: `key ${src}`, value: Buffer.alloc(1 << 20), headers })
}
