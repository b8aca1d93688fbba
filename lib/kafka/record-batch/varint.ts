/** Kafka's variable-length integers: zigzag, then 7 bits per byte, the lowest first (as in Protocol Buffers). */

/** Returns the size of a signed 32-bit integer: 1 to 5 bytes. */
export function varintBytes(value: number): number {
  const raw = ((value << 1) ^ (value >> 31)) >>> 0
  return raw < 0x80 ? 1 : raw < 0x4000 ? 2 : raw < 0x20_0000 ? 3 : raw < 0x1000_0000 ? 4 : 5
}

/** Writes a signed 32-bit integer. Returns the end. */
export function writeVarint(target: Uint8Array, at: number, value: number): number {
  let raw = ((value << 1) ^ (value >> 31)) >>> 0
  while (raw > 127) {
    target[at++] = (raw & 127) | 128
    raw >>>= 7
  }
  target[at++] = raw
  return at
}

/** Returns the size of an integer within ±2^63: 1 to 10 bytes. */
export function varlongBytes(value: number): number {
  if (value === (value | 0)) return varintBytes(value)
  let half = Math.floor(value < 0 ? -1 - value : value) // zigzag without its lowest bit
  let bytes = 1
  for (half = Math.floor(half / 64); half > 0 && bytes < 10; half = Math.floor(half / 128)) bytes++
  return bytes
}

/** Writes an integer within ±2^63. Returns the end. Beyond ±2^53 it writes the exact value of the number. */
export function writeVarlong(target: Uint8Array, at: number, value: number): number {
  if (value === (value | 0)) return writeVarint(target, at, value)
  const negative = value < 0
  const half = Math.floor(negative ? -1 - value : value)
  let rest = Math.floor(half / 64)
  let byte = ((half % 64) << 1) | (negative ? 1 : 0)
  for (let count = 1; rest > 0 && count < 10; count++) {
    target[at++] = byte | 128
    byte = rest % 128
    rest = Math.floor(rest / 128)
  }
  target[at++] = byte
  return at
}
