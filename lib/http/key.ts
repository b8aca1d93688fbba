/**
 * From a request's target to the bytes of a key. Targets are cut by hand: keys are bytes, not text (`%FF` is a key that no
 * decodeURIComponent takes), and this is the hot path.
 */
import { LatchkeyError } from '../errors.ts'

/** Longer ones could not be sent anyway: Bun bounds the whole of a request's line and headers at some 16 KB. */
export const keyBytesMax = 12_288

const percent = 0x25
const encoder = new TextEncoder()

/** Path and query of a request's URL, which is the bare target where the request had no usable Host. Empty for other forms. */
export function targetOf(url: string): string {
  if (url.startsWith('/')) return url
  const authority = url.indexOf('://')
  const start = authority < 0 ? -1 : url.indexOf('/', authority + 3)
  return start < 0 ? '' : url.slice(start)
}

/**
 * The bytes that percent-encoded text stands for.
 * @throws LatchkeyError invalid_key: empty, longer than keyBytesMax, or `%` without two hexadecimal digits
 */
export function decodeKey(text: string): Uint8Array {
  if (text.length === 0) {
    throw invalidKey('it is empty; append it to the path, percent-encoded, or ask for the key of no bytes by ?key=')
  }
  return decode(text)
}

function decode(text: string): Uint8Array {
  const bytes = text.includes('%') ? decodePercent(text) : encoder.encode(text)
  if (bytes.length > keyBytesMax) throw tooLong()
  return bytes
}

/**
 * The key of a query such as `?key=a%2Fb`, undefined where it has none. As in forms, `+` is a space. `?key=` is the key of no bytes, which is a
 * key to Kafka.
 * @throws LatchkeyError invalid_key, also where it has several
 */
export function keyOfQuery(query: string): Uint8Array | undefined {
  const keys = query.split('&').filter((pair) => pair === 'key' || pair.startsWith('key='))
  if (keys.length > 1) throw invalidKey('the query has several; give one')
  if (keys[0] === undefined) return undefined
  if (keys[0] === 'key') throw invalidKey('the query has "key" without a value; the key of no bytes is ?key=')
  return decode(keys[0].slice('key='.length).replaceAll('+', ' '))
}

function decodePercent(text: string): Uint8Array {
  const encoded = encoder.encode(text)
  let length = 0
  for (let from = 0; from < encoded.length; from++, length++) {
    const byte = encoded[from]!
    if (byte !== percent) {
      encoded[length] = byte
      continue
    }
    const high = hexDigit(encoded[from + 1])
    const low = hexDigit(encoded[from + 2])
    if (high < 0 || low < 0)
      throw invalidKey('it has a "%" without two hexadecimal digits; the character itself is %25')
    encoded[length] = high * 16 + low
    from += 2
  }
  // A copy, not a view: views made of a short-lived array cost the garbage collector more than the copy does.
  return encoded.slice(0, length)
}

function hexDigit(byte = 0): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const letter = byte | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x61 + 10 : -1
}

function tooLong(): LatchkeyError {
  return invalidKey(`it is longer than ${keyBytesMax} bytes`)
}

function invalidKey(found: string): LatchkeyError {
  return new LatchkeyError('invalid_key', `Reading the key: ${found}`)
}
