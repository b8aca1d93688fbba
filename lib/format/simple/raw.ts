/**
 * Any bytes, unchecked. In JSON they are base64. As text they are UTF-8, with replacement characters for invalid bytes.
 */
import type { Codec } from '../codec.ts'
import { base64Of, bytesOfBase64 } from './base64.ts'

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const encoder = new TextEncoder()

export const rawCodec: Codec<Uint8Array> = {
  name: 'raw',
  // Copies the bytes. A Buffer's slice would return a view.
  decode: (bytes) => new Uint8Array(bytes),
  encode: (bytes) => bytes,
  toJson: base64Of,
  fromJson: bytesOfBase64,
  toText: (bytes) => decoder.decode(bytes),
  fromText: (text) => encoder.encode(text),
}
