/** Bytes as they are: nothing is looked at, anything is sound. JSON shows them as base64, text as UTF-8 as far as they are that. */
import { type Codec } from '../codec.ts'
import { base64Of, bytesOfBase64 } from './base64.ts'

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const encoder = new TextEncoder()

export const rawCodec: Codec<Uint8Array> = {
  name: 'raw',
  // Not slice: that of a Buffer is a view.
  decode: (bytes) => new Uint8Array(bytes),
  encode: (bytes) => bytes,
  toJson: base64Of,
  fromJson: bytesOfBase64,
  toText: (bytes) => decoder.decode(bytes),
  fromText: (text) => encoder.encode(text),
}
