/**
 * Reads the body that nearly all requests for many keys have, `{"keys":["a","b"]}` with strings of ASCII without escapes:
 * no string is made of a key. Other bodies are left to JSON.parse, which also judges what is wrong with them.
 */
import { isPlain } from './compact-json.ts'

const quote = 0x22
const comma = 0x2c
const name = new TextEncoder().encode('"keys"')

/** @returns the bytes of each key; undefined if the body is another one, or has more than `keysMax` keys */
export function plainKeysOf(body: Uint8Array, keysMax: number): Uint8Array[] | undefined {
  // The slice of a Buffer would be a view.
  const bytes = new Uint8Array(body.buffer, body.byteOffset, body.length)
  const nameAt = afterSpace(bytes, after(bytes, 0, '{'))
  if (!name.every((byte, index) => bytes[nameAt + index] === byte)) return undefined
  let at = after(bytes, after(bytes, nameAt + name.length, ':'), '[')
  const keys: Uint8Array[] = []
  for (let isLast = false; !isLast;) {
    const start = after(bytes, at, '"')
    if (start < 0 || keys.length === keysMax) return undefined
    let end = start
    while (isPlain[bytes[end]!] === 1) end++
    if (bytes[end] !== quote) return undefined
    keys.push(bytes.slice(start, end))
    at = afterSpace(bytes, end + 1)
    isLast = bytes[at] !== comma
    if (!isLast) at++
  }
  const close = after(bytes, after(bytes, at, ']'), '}')
  return close >= 0 && afterSpace(bytes, close) === bytes.length ? keys : undefined
}

/** Returns the index after a character and the white space before it; -1 if something else is there. */
function after(bytes: Uint8Array, from: number, character: string): number {
  const at = afterSpace(bytes, from)
  return bytes[at] === character.charCodeAt(0) ? at + 1 : -1
}

function afterSpace(bytes: Uint8Array, from: number): number {
  let at = from
  while (isSpace(bytes[at])) at++
  return at
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}
