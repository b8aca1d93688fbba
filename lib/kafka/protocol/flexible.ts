/** Writes fields of flexible request versions (KIP-482), which kafkajs does not know. */
import type { Encoder } from '../connection/raw-request.ts'

/** Stands for the tagged fields of a header or structure that has none. */
export const noTags = 0

export function writeUnsignedVarint(encoder: Encoder, value: number): Encoder {
  let rest = value
  for (; rest > 127; rest >>>= 7) encoder.writeInt8((rest & 127) - 128)
  return encoder.writeInt8(rest)
}

export function writeCompactString(encoder: Encoder, text: string): Encoder {
  const bytes = Buffer.from(text)
  writeUnsignedVarint(encoder, bytes.length + 1)
  encoder.writeBufferInternal(bytes)
  return encoder
}

/** Writes the length before the items of an array. */
export function writeCompactLength(encoder: Encoder, length: number): Encoder {
  return writeUnsignedVarint(encoder, length + 1)
}

/** @param id in base64url, as Kafka writes it; undefined for none */
export function writeUuid(encoder: Encoder, id: string | undefined): Encoder {
  encoder.writeBufferInternal(id === undefined ? Buffer.alloc(16) : Buffer.from(id, 'base64url'))
  return encoder
}
