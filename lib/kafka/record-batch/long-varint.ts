/**
 * The rest of a varint whose first byte the caller has read and found to be above 127: shorter ones need no call.
 * Two results without an object for them: the value is returned, where the varint ends stands in `varintEnd` until the next call.
 */

/** Where a varint ends that is too long: past every record, so that the caller's next check of a length refuses it. */
const pastEveryEnd = 0x7fff_ffff

export let varintEnd = 0

/** The raw value (zigzag not undone) of a varint of at most 5 bytes. `at`: where its second byte lies. */
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

/** The value (with its sign) of a varint of at most 10 bytes; beyond 2^53 it is the nearest double. */
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
