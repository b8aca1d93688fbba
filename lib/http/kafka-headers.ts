/**
 * Kept headers of a source record as headers of an answer. A record's header may have any name and any bytes, and comes from whoever may
 * write to the topic: nothing of it may end a line, or pass for a header of ours.
 */
import type { KeptHeader } from '../store-protocol/header-prefix.ts'

const prefix = 'x-kafka-header-'
/** Of all of them, names and values: clients and proxies bound what they take, some at 8 KB with all other headers. */
export const headerCharactersMax = 6_144

const percent = 0x25
const space = 0x20
/** Of RFC 9110's tokens all but `%`, which begins what is encoded. */
const isNameByte = bytesOf("!#$&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")

const encoder = new TextEncoder()

/**
 * Adds `x-kafka-header-<name>` for each header, percent-encoded where bytes are not plain: names but for token characters, values but for
 * visible ASCII and the spaces between. Several of one name, in whatever case, are joined by a comma, in their order.
 * @returns how many there was no room for
 */
export function addKafkaHeaders(to: Headers, kept: readonly KeptHeader[]): number {
  let left = headerCharactersMax
  let omitted = 0
  for (const [name, value] of kept) {
    // What is longer than there is room for, however it is encoded, is not encoded at all.
    if (name.length + value.length > left) {
      omitted++
      continue
    }
    const field = prefix + encodeName(name).toLowerCase()
    const text = encodeValue(value)
    const length = field.length + text.length + 4
    if (length > left) {
      omitted++
      continue
    }
    left -= length
    to.append(field, text)
  }
  return omitted
}

function encodeName(name: string): string {
  return encode(encoder.encode(name), (byte) => isNameByte[byte] === 1)
}

function encodeValue(value: Uint8Array): string {
  const last = value.length - 1
  return encode(value, (byte, index) => {
    // Spaces at the ends of a value are dropped on the way.
    if (byte === space) return index !== 0 && index !== last
    return byte > space && byte < 0x7f && byte !== percent
  })
}

function encode(bytes: Uint8Array, isPlain: (byte: number, index: number) => boolean): string {
  let text = ''
  for (const [index, byte] of bytes.entries()) {
    text += isPlain(byte, index) ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return text
}

function bytesOf(characters: string): Uint8Array {
  const is = new Uint8Array(256)
  for (const character of characters) is[character.charCodeAt(0)] = 1
  return is
}
