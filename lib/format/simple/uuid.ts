/**
 * UUIDs: as text of 36 characters, as written by Kafka's UUIDSerializer, or as 16 bytes. Values are text in lower case.
 */
import type { Codec, Json } from '../codec.ts'
import { bytesOf, textOf } from './utf8.ts'

export const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const expected = 'it must be a UUID, such as 123e4567-e89b-12d3-a456-426614174000'
const binaryLength = 16
const textLength = 36

const common = { toJson: (uuid: string) => uuid, fromJson: uuidOf, toText: (uuid: string) => uuid, fromText: uuidOf }

/** Reads both forms and writes text. */
export const uuidCodec: Codec<string> = {
  name: 'uuid',
  decode: (bytes) => (bytes.length === binaryLength ? uuidOfBinary(bytes) : uuidOfText(bytes)),
  encode: (uuid) => bytesOf(uuidOf(uuid)),
  ...common,
}

export const uuidBinaryCodec: Codec<string> = {
  name: 'uuid-binary',
  decode: uuidOfBinary,
  encode: (uuid) => Uint8Array.fromHex(uuidOf(uuid).replaceAll('-', '')),
  ...common,
}

function uuidOf(json: Json): string {
  if (typeof json !== 'string' || !uuidPattern.test(json)) throw new Error(expected)
  return json.toLowerCase()
}

function uuidOfText(bytes: Uint8Array): string {
  if (bytes.length !== textLength) {
    throw new Error(`${bytes.length} bytes found, where a UUID has ${textLength} as text or ${binaryLength}`)
  }
  const text = textOf(bytes)
  if (!uuidPattern.test(text)) throw new Error('the bytes are not a UUID')
  return text.toLowerCase()
}

function uuidOfBinary(bytes: Uint8Array): string {
  if (bytes.length !== binaryLength) {
    throw new Error(`${bytes.length} bytes found, where a UUID has ${binaryLength}`)
  }
  return uuidTextOf(bytes)
}

/** @param bytes 16 bytes */
export function uuidTextOf(bytes: Uint8Array): string {
  return bytes.toHex().replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}
