/** Fetch and Produce as a broker would read and answer them, byte by byte and independent of the code under test. */
import { Encoder, type RawRequest } from '../../../../lib/kafka/connection/raw-request.ts'

export interface FetchAnswer {
  partition: number
  errorCode?: number
  lastStableOffset?: number
  highWatermark?: number
  logStartOffset?: number
  aborted?: readonly { producerId: number; firstOffset: number }[]
  records?: Buffer
  preferredReadReplica?: number
}

/** Body of a Fetch response, version 13. */
export function fetchResponseById(topicId: string, answers: readonly FetchAnswer[]): Buffer {
  const partitions = answers.map((answer) => {
    const { aborted = [], records = Buffer.alloc(0), lastStableOffset = -1, highWatermark = lastStableOffset } = answer
    return Buffer.concat([
      int32(answer.partition),
      int16(answer.errorCode ?? 0),
      int64(highWatermark, lastStableOffset, answer.logStartOffset ?? 0),
      compactLength(aborted.length),
      ...aborted.map(({ producerId, firstOffset }) =>
        Buffer.concat([int64(producerId, firstOffset), Buffer.from([0])]),
      ),
      int32(answer.preferredReadReplica ?? -1),
      compactLength(records.length),
      records,
      // One tagged field of three bytes: CurrentLeader, as brokers send it beside errors.
      Buffer.from([1, 1, 3, 9, 9, 9]),
    ])
  })
  const noTags = Buffer.from([0])
  const id = Buffer.from(topicId, 'base64url')
  const head = [noTags, int32(0), int16(0), int32(0), compactLength(1), id, compactLength(answers.length)]
  return Buffer.concat([...head, ...partitions, noTags, noTags])
}

function compactLength(length: number): Buffer {
  const value = length + 1
  return Buffer.from(
    value < 128 ? [value] : value < 16_384 ? [value | 128, value >> 7] : [value | 128, (value >> 7) | 128, value >> 14],
  )
}

/** Body of a Fetch response, version 11. */
export function fetchResponse(topic: string, answers: readonly FetchAnswer[], errorCode = 0): Buffer {
  const partitions = answers.map((answer) => {
    const { aborted = [], records = Buffer.alloc(0), lastStableOffset = -1, highWatermark = lastStableOffset } = answer
    return Buffer.concat([
      int32(answer.partition),
      int16(answer.errorCode ?? 0),
      int64(highWatermark, lastStableOffset, answer.logStartOffset ?? 0),
      int32(aborted.length),
      ...aborted.map(({ producerId, firstOffset }) => int64(producerId, firstOffset)),
      int32(answer.preferredReadReplica ?? -1, records.length),
      records,
    ])
  })
  return Buffer.concat([int32(0), int16(errorCode), int32(0, 1), text(topic), int32(answers.length), ...partitions])
}

export interface ProduceAnswer {
  partition: number
  errorCode?: number
  baseOffset?: number
}

/** Body of a Produce response, version 7. */
export function produceResponse(topic: string, answers: readonly ProduceAnswer[]): Buffer {
  const partitions = answers.map(({ partition, errorCode = 0, baseOffset = -1 }) =>
    Buffer.concat([int32(partition), int16(errorCode), int64(baseOffset, -1, 0)]),
  )
  return Buffer.concat([int32(1), text(topic), int32(answers.length), ...partitions, int32(0)])
}

/** Body of an OffsetForLeaderEpoch response, version 3. */
export function endOfEpochResponse(
  topic: string,
  ...answers: readonly { partition: number; errorCode?: number; epoch?: number; endOffset?: number }[]
): Buffer {
  const ends = answers.map(({ partition, errorCode = 0, epoch = -1, endOffset = -1 }) =>
    Buffer.concat([int16(errorCode), int32(partition, epoch), int64(endOffset)]),
  )
  return Buffer.concat([int32(0, 1), text(topic), int32(answers.length), ...ends])
}

/** The bytes of a request after its header. */
export function bodyOf(request: RawRequest): Buffer {
  const body = request.encode()
  return body instanceof Encoder ? body.buffer : Buffer.concat(body)
}

/** What a Fetch request, version 11, asks for, in its order. */
export function fetchPositions(request: RawRequest): { partition: number; offset: number; maxBytes: number }[] {
  const body = bodyOf(request)
  let at = 4 + 4 + 4 + 4 + 1 + 4 + 4 + 4
  at += 2 + body.readInt16BE(at)
  const count = body.readInt32BE(at)
  at += 4
  return Array.from({ length: count }, (_, index) => {
    const start = at + index * 28
    return {
      partition: body.readInt32BE(start),
      offset: Number(body.readBigInt64BE(start + 8)),
      maxBytes: body.readInt32BE(start + 24),
    }
  })
}

/** The batches of a Produce request, version 7, in its order. */
export function producedBatches(request: RawRequest): { partition: number; batch: Buffer }[] {
  const body = bodyOf(request)
  let at = 2 + 2 + 4 + 4
  at += 2 + body.readInt16BE(at)
  const count = body.readInt32BE(at)
  at += 4
  return Array.from({ length: count }, () => {
    const partition = body.readInt32BE(at)
    const end = at + 8 + body.readInt32BE(at + 4)
    const batch = Buffer.from(body.subarray(at + 8, end))
    at = end
    return { partition, batch }
  })
}

export function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(value)
  return bytes
}

export function int32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4)
  values.forEach((value, index) => bytes.writeInt32BE(value, index * 4))
  return bytes
}

export function int64(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 8)
  values.forEach((value, index) => bytes.writeBigInt64BE(BigInt(value), index * 8))
  return bytes
}

function text(value: string): Buffer {
  return Buffer.concat([int16(Buffer.byteLength(value)), Buffer.from(value)])
}
