/**
 * Varints one at a time with every check made: for the rare paths (faults, control records), where clarity counts more than speed.
 * The hot path in `record-batch-reader.ts` reads the same format inline.
 */
export class VarintCursor {
  #bytes: Uint8Array
  #end: number
  at: number

  constructor(bytes: Uint8Array, at: number, end: number) {
    this.#bytes = bytes
    this.#end = end
    this.at = at
  }

  /** Begins anew, at other bytes. */
  open(bytes: Uint8Array, at: number, end: number): void {
    this.#bytes = bytes
    this.#end = end
    this.at = at
  }

  /** Zigzag varint of up to 5 bytes, or undefined where it is longer or runs past the end. */
  varint(): number | undefined {
    let value = 0
    for (let shift = 0; shift <= 28; shift += 7) {
      if (this.at >= this.#end) return undefined
      const byte = this.#bytes[this.at++]!
      value |= (byte & 127) << shift
      if (byte < 128) return (value >>> 1) ^ -(value & 1)
    }
    return undefined
  }

  /** Passes over a varint of up to `bytesMax` bytes; false where there is none. */
  skipVarint(bytesMax: number): boolean {
    for (let count = 0; count < bytesMax && this.at < this.#end; count++) if (this.#bytes[this.at++]! < 128) return true
    return false
  }

  /** Passes over `count` bytes; false where there are fewer. */
  skip(count: number): boolean {
    if (count > this.#end - this.at) return false
    this.at += count
    return true
  }
}
