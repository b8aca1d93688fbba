/**
 * Reads varints with every check, for the rare paths (faults, control records) where clarity counts more than speed.
 * The hot path in record-cursor.ts reads the same format inline.
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

  /** Moves the cursor to other bytes. */
  open(bytes: Uint8Array, at: number, end: number): void {
    this.#bytes = bytes
    this.#end = end
    this.at = at
  }

  /** Reads a zigzag varint of up to 5 bytes. Returns undefined if it is longer or exceeds the end. */
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

  /** Skips a varint of up to `bytesMax` bytes. Returns false if there is none. */
  skipVarint(bytesMax: number): boolean {
    for (let count = 0; count < bytesMax && this.at < this.#end; count++) if (this.#bytes[this.at++]! < 128) return true
    return false
  }

  /** Skips `count` bytes. Returns false if there are fewer. */
  skip(count: number): boolean {
    if (count > this.#end - this.at) return false
    this.at += count
    return true
  }
}
