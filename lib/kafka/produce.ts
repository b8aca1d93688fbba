/** Produce, version 7: record batches for several partitions of one topic in one request. https://kafka.apache.org/protocol#The_Messages_Produce */
import { LatchkeyError } from '../errors.ts'
import { Encoder, type RawRequest } from './kafkajs.ts'

export interface ProduceBatch {
  partition: number
  /** A sealed record batch; read when the request is encoded, so it must not change before the answer. */
  bytes: Buffer
}

export interface ProduceResult {
  partition: number
  errorCode: number
  /** Offset of the batch's first record; -1 with an error. */
  baseOffset: number
}

/** @param acks -1 for all in-sync replicas @param timeoutMs how long the broker may wait for them */
export function produceRequest(
  topic: string,
  batches: readonly ProduceBatch[],
  acks: number,
  timeoutMs: number,
): RawRequest {
  return {
    apiKey: 0,
    apiVersion: 7,
    apiName: 'Produce',
    encode() {
      const bytes = batches.reduce((sum, batch) => sum + batch.bytes.length + 8, 512)
      const encoder = new Encoder(bytes).writeString(null).writeInt16(acks).writeInt32(timeoutMs)
      encoder.writeInt32(1).writeString(topic).writeInt32(batches.length)
      for (const batch of batches) {
        encoder.writeInt32(batch.partition).writeInt32(batch.bytes.length).writeBufferInternal(batch.bytes)
      }
      return encoder
    },
  }
}

const partitionBytes = 30

export function parseProduceResponse(response: Buffer): ProduceResult[] {
  try {
    let at = 4
    at += 2 + response.readInt16BE(at)
    const count = response.readInt32BE(at)
    at += 4
    const results: ProduceResult[] = []
    for (let i = 0; i < count; i++, at += partitionBytes) {
      results.push({
        partition: response.readInt32BE(at),
        errorCode: response.readInt16BE(at + 4),
        baseOffset: Number(response.readBigInt64BE(at + 6)),
      })
    }
    return results
  } catch (cause) {
    const found = `${response.length} bytes that end too early`
    throw new LatchkeyError('response_malformed', `Reading a Produce response: ${found}`, { cause })
  }
}
