/**
 * Turns kept headers of a source record into response headers. A record header may have any name and any bytes, and
 * comes from any producer of the topic. Encoding prevents it from ending a line or replacing one of our headers.
 */
import type { KeptHeader } from '../store-protocol/header-prefix.ts'

const prefix = 'x-kafka-header-'
/**
 * Maximum for all names and values together. Clients and proxies bound what they accept, some at 8 KB with all other
 * headers.
 */
export const headerCharactersMax = 6_144

const percent = 0x25
const space = 0x20
/** Token characters of RFC 9110 except `%`, which begins an encoded byte. */
const isNameByte = bytesOf("!#$&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")

const encoder = new TextEncoder()

/**
 * Adds `x-kafka-header-<name>` for each header. Percent-encodes names except for token characters, and values except
 * for visible ASCII and inner spaces. Joins several headers of one name, in any case, by a comma, in their order.
 *
 * @returns number of headers that did not fit
 */
export function addKafkaHeaders(to: Headers, kept: readonly KeptHeader[]): number {
  let left = headerCharactersMax
  let omitted = 0
  for (const [name, value] of kept) {
    // Encoding never shortens: a header that is too long already is not encoded.
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
    // HTTP drops spaces at both ends of a value.
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
