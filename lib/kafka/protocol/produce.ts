/**
 * Produce, version 7: record batches for several partitions of one topic in one request.
 * https://kafka.apache.org/protocol#The_Messages_Produce
 */
import { Encoder, type RawRequest } from '../connection/raw-request.ts'
import { apiKeys } from './api-keys.ts'
import { reading, ResponseCursor } from './response-cursor.ts'

export interface ProduceBatch {
  partition: number
  /** A sealed record batch. It is sent without a copy, so it must not change before the response. */
  bytes: Buffer
}

export interface ProduceResult {
  partition: number
  errorCode: number
  /** Offset of the batch's first record; -1 with an error. */
  baseOffset: number
}

/** Partition and length. */
const batchHeadBytes = 8

/** @param acks -1 for all in-sync replicas @param timeoutMs how long the broker may wait for them */
export function produceRequest(
  topic: string,
  batches: readonly ProduceBatch[],
  acks: number,
  timeoutMs: number,
): RawRequest {
  return {
    apiKey: apiKeys.Produce,
    apiVersion: 7,
    apiName: 'Produce',
    encode() {
      const encoder = new Encoder(512 + batches.length * batchHeadBytes)
      encoder.writeString(null).writeInt16(acks).writeInt32(timeoutMs)
      encoder.writeInt32(1).writeString(topic).writeInt32(batches.length)
      const firstHead = encoder.size()
      for (const { partition, bytes } of batches) encoder.writeInt32(partition).writeInt32(bytes.length)
      const heads = encoder.buffer
      const parts: Buffer[] = [heads.subarray(0, firstHead)]
      for (const [index, { bytes }] of batches.entries()) {
        const start = firstHead + index * batchHeadBytes
        parts.push(heads.subarray(start, start + batchHeadBytes), bytes)
      }
      return parts
    },
  }
}

export function parseProduceResponse(buffer: Buffer): ProduceResult[] {
  return reading('Produce', () => {
    const response = new ResponseCursor(buffer, 'Produce')
    const topics = response.array(() => {
      response.string()
      return response.array(() => {
        const result = { partition: response.int32(), errorCode: response.int16(), baseOffset: response.offset() }
        response.skip(16) // time of appending, log start offset
        return result
      })
    })
    return topics.flat()
  })
}
