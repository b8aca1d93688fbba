/** Bytes in JSON: base64, as in the JSON form of Protocol Buffers. */
import type { Json } from '../codec.ts'

const alphabet = /^[A-Za-z0-9+/]*={0,2}$/

export function base64Of(bytes: Uint8Array): string {
  return bytes.toBase64()
}

/**
 * Also accepts the alphabet for URLs, and missing padding.
 * @throws Error that says what is expected
 */
export function bytesOfBase64(json: Json): Uint8Array {
  const text = typeof json === 'string' ? json.replaceAll('-', '+').replaceAll('_', '/') : undefined
  if (text === undefined || !alphabet.test(text)) throw new Error('it must be a string in base64')
  try {
    return Uint8Array.fromBase64(text)
  } catch {
    throw new Error('it must be a string in base64, of whole bytes')
  }
}
