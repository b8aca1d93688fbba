/**
 * Reads the rest of a varint whose first byte is above 127; the caller reads shorter ones itself. There are two
 * results and no object for them: the function returns the value, and `varintEnd` holds the end of the varint until
 * the next call.
 */

/** End of a varint that is too long. Lies past every record, so the caller's next length check refuses it. */
const pastEveryEnd = 0x7fff_ffff

export let varintEnd = 0

/**
 * Returns the raw value (zigzag still encoded) of a varint of at most 5 bytes.
 * @param at position of its second byte
 */
export function longVarint(data: Uint8Array, at: number, first: number): number {
  let raw = first & 127
  for (let shift = 7; shift <= 28; shift += 7) {
    const byte = data[at++]!
    raw |= (byte & 127) << shift
    if (byte < 128) {
      varintEnd = at
      return raw
    }
  }
  varintEnd = pastEveryEnd
  return 0
}

/** Returns the signed value of a varint of at most 10 bytes; beyond 2^53 the nearest double. */
export function longVarlong(data: Uint8Array, at: number, first: number): number {
  let low = first & 127 // 28 bits
  let middle = 0 // 28 bits
  let high = 0 // 8 bits
  for (let shift = 7; shift <= 63; shift += 7) {
    const byte = data[at++]!
    if (shift < 28) low |= (byte & 127) << shift
    else if (shift < 56) middle |= (byte & 127) << (shift - 28)
    else high |= (byte & 127) << (shift - 56)
    if (byte < 128) {
      varintEnd = at
      const half = (high & 255) * 2 ** 55 + middle * 2 ** 27 + (low >>> 1)
      return low & 1 ? -half - 1 : half
    }
  }
  varintEnd = pastEveryEnd
  return 0
}
