/** Bytes that are not text: hexadecimal digits in URLs, base64 in JSON. */
import type { Codec } from '../codec.ts'
import { base64Of, bytesOfBase64 } from './base64.ts'

const expected = 'it must be hexadecimal digits, two for each byte, or "base64url:" and base64url'
const base64UrlPrefix = 'base64url:'
const hexPrefix = 'hex:'

export const bytesCodec: Codec<Uint8Array> = {
  name: 'bytes',
  // Copies the bytes. A Buffer's slice would return a view.
  decode: (bytes) => new Uint8Array(bytes),
  encode: (bytes) => bytes,
  toJson: base64Of,
  fromJson: bytesOfBase64,
  toText: (bytes) => bytes.toHex(),
  fromText: bytesOfText,
}

function bytesOfText(text: string): Uint8Array {
  try {
    if (text.startsWith(base64UrlPrefix)) {
      return Uint8Array.fromBase64(text.slice(base64UrlPrefix.length), { alphabet: 'base64url' })
    }
    return Uint8Array.fromHex(text.startsWith(hexPrefix) ? text.slice(hexPrefix.length) : text)
  } catch {
    throw new Error(expected)
  }
}
