/**
 * The entries of an index table in a range of hashes. Writer and readers share this code. A walk takes one range after
 * another. Its position is a hash, not a slot, so the table may grow and the sides may swap between two ranges: an entry
 * that exists throughout is in exactly one of them.
 */
import type { LogView } from './entry.ts'
import type { TableView } from './probe.ts'

/** End of the range of unsigned hashes. */
export const hashesEnd = 2 ** 32

/** Returns the end of the range that begins with hash `from` and has `homes` home slots. */
export function rangeEnd(table: TableView, from: number, homes: number): number {
  return Math.min(hashesEnd, from + homes * 2 ** table.shift)
}

export class HashRange {
  /** In ascending order; `count` of them are valid. */
  hashes = new Uint32Array(512)
  /** Addresses of the entries. */
  addresses = new Int32Array(512)
  count = 0
  /** Slots that `collect` has read. */
  slots = 0
  /** Result of `touch`, stored so that the compiler cannot remove the reads. */
  touched = 0

  /** Collects the entries whose unsigned hash is at least `from` and below `to`. Both must be within a range of hashes. */
  collect({ slots, shift, mask }: TableView, from: number, to: number): void {
    this.count = 0
    const firstHome = from >>> shift
    const lastHome = (to - 1) >>> shift
    let slot = firstHome
    let i = firstHome
    // Past the last home slot, displaced entries reach up to the next empty slot, around the end of the table if
    // necessary, but at most once around.
    for (; i <= lastHome || (slots[2 * slot + 1] !== 0 && i <= firstHome + mask); i++) {
      const hash = slots[2 * slot]! >>> 0
      const address = slots[2 * slot + 1]!
      if (address !== 0 && hash >= from && hash < to) this.#insert(hash, address)
      slot = (slot + 1) & mask
    }
    this.slots = i - firstHome
  }

  /** Brings the beginnings of all entries into the processor's cache: independent reads wait for memory together. */
  touch({ segments, offsetBits, offsetMask }: LogView): void {
    let read = 0
    for (let i = 0; i < this.count; i++) {
      const address = this.addresses[i]!
      read ^= segments[address >>> offsetBits]!.words[(address & offsetMask) << 1]!
    }
    this.touched = read
  }

  /** A table is nearly in order of hashes, so few entries have to move. */
  #insert(hash: number, address: number): void {
    if (this.count === this.hashes.length) this.#enlarge()
    const { hashes, addresses } = this
    let at = this.count++
    for (; at > 0 && hashes[at - 1]! > hash; at--) {
      hashes[at] = hashes[at - 1]!
      addresses[at] = addresses[at - 1]!
    }
    hashes[at] = hash
    addresses[at] = address
  }

  #enlarge(): void {
    const hashes = new Uint32Array(2 * this.count)
    const addresses = new Int32Array(2 * this.count)
    hashes.set(this.hashes)
    addresses.set(this.addresses)
    this.hashes = hashes
    this.addresses = addresses
  }
}
