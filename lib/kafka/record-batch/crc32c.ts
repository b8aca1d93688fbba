/**
 * CRC32C (Castagnoli), the checksum of record batches, by table lookup of 16 bytes at a time. Written in JavaScript
 * because it reads the bytes in place: 2.7 GB/s. A WebAssembly build reaches 2.5 GB/s, because it must first copy each
 * batch into its own memory. `Bun.hash.crc32` uses another polynomial.
 */
const polynomial = 0x82f63b78 // reversed

// tables[256 * k + byte]: the contribution of a byte that k more bytes follow
const tables = new Int32Array(16 * 256)
for (let byte = 0; byte < 256; byte++) {
  let remainder = byte
  for (let bit = 0; bit < 8; bit++) remainder = remainder & 1 ? (remainder >>> 1) ^ polynomial : remainder >>> 1
  tables[byte] = remainder
}
for (let at = 256; at < tables.length; at++) {
  const before = tables[at - 256]!
  tables[at] = (before >>> 8) ^ tables[before & 255]!
}

/**
 * Returns the CRC32C of `bytes[start, end)` as an unsigned 32-bit number. Throws RangeError if the range lies
 * outside `bytes`.
 */
export function crc32c(bytes: Uint8Array, start: number, end: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, end - start)
  const t = tables
  const length = end - start
  let crc = -1
  let at = 0
  for (const last = length - 16; at <= last; at += 16) {
    const a = view.getInt32(at, true) ^ crc
    const b = view.getInt32(at + 4, true)
    const c = view.getInt32(at + 8, true)
    const d = view.getInt32(at + 12, true)
    crc =
      t[0xf00 | (a & 255)]! ^
      t[0xe00 | ((a >>> 8) & 255)]! ^
      t[0xd00 | ((a >>> 16) & 255)]! ^
      t[0xc00 | (a >>> 24)]! ^
      t[0xb00 | (b & 255)]! ^
      t[0xa00 | ((b >>> 8) & 255)]! ^
      t[0x900 | ((b >>> 16) & 255)]! ^
      t[0x800 | (b >>> 24)]! ^
      t[0x700 | (c & 255)]! ^
      t[0x600 | ((c >>> 8) & 255)]! ^
      t[0x500 | ((c >>> 16) & 255)]! ^
      t[0x400 | (c >>> 24)]! ^
      t[0x300 | (d & 255)]! ^
      t[0x200 | ((d >>> 8) & 255)]! ^
      t[0x100 | ((d >>> 16) & 255)]! ^
      t[d >>> 24]!
  }
  for (; at < length; at++) crc = t[(crc ^ view.getUint8(at)) & 255]! ^ (crc >>> 8)
  return ~crc >>> 0
}
