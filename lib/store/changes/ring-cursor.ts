/**
 * Reads a change ring: see ../../store-protocol/change-ring.ts. Records are copied in chunks; a chunk counts only if the
 * store thread has not given up its beginning meanwhile.
 */
import * as layout from '../../store-protocol/change-ring.ts'

const chunkBytesMin = 65_536

export class RingCursor {
  /** Of the record that next() has moved to. The key is in `data` from `keyStart`, valid until the next call. */
  partition = -1
  changelogOffset = -1
  sourceOffset = -1
  /** Position of the record. */
  start = 0
  isDeletion = false
  /** The key is not in the ring: it is too long. */
  isOmitted = false
  keyStart = 0
  keyLength = 0
  /** Set if the store thread has overwritten what was to be read. */
  isLapped = false
  readonly #ring: layout.SharedChangeRing
  readonly #words: BigInt64Array
  readonly #rows: Float64Array
  readonly #bytes: Uint8Array
  readonly #size: number
  #data = Buffer.alloc(chunkBytesMin)
  #ints = new Int32Array(this.#data.buffer, this.#data.byteOffset, chunkBytesMin / 4)
  #doubles = new Float64Array(this.#data.buffer, this.#data.byteOffset, chunkBytesMin / 8)
  /** Within the chunk. */
  #at = 0
  #chunkEnd = 0
  /** Position in the ring that follows the chunk. */
  #next = 0
  #end = 0

  constructor(ring: layout.SharedChangeRing) {
    this.#ring = ring
    this.#words = layout.controlWords(ring)
    this.#rows = layout.blockRows(ring)
    this.#bytes = new Uint8Array(ring.bytes)
    this.#size = ring.bytes.byteLength
  }

  /** Position after the changes that are visible. */
  get published(): number {
    return Number(Atomics.load(this.#words, layout.publishedWord))
  }

  get data(): Buffer {
    return this.#data
  }

  /**
   * Returns where a reader can begin that has seen everything before these changelog positions: at the last block that
   * is complete for it.
   * @returns undefined if the ring does not have all changes since
   */
  startAfter(seen: ReadonlyMap<number, number>): number | undefined {
    return this.#lastBlock((partition, floor) => (seen.get(partition) ?? Infinity) >= floor)?.position
  }

  /**
   * Returns the beginning of the last block, with the changelog position up to which everything of each partition is
   * before it; Infinity if that is not known.
   */
  lastBlock(): { position: number; reached: ReadonlyMap<number, number> } | undefined {
    return this.#lastBlock(() => true)
  }

  /** @param fits whether a block is wanted, by its floor in each partition */
  #lastBlock(
    fits: (partition: number, floor: number) => boolean,
  ): { position: number; reached: Map<number, number> } | undefined {
    const { partitions } = this.#ring
    const blockBytes = this.#size / layout.blocks
    const width = 1 + partitions.length
    const tail = this.#tail
    for (let block = Math.floor(this.published / blockBytes); block >= tail / blockBytes; block--) {
      const row = (block % layout.blocks) * width
      const position = this.#rows[row]!
      const reached = new Map(partitions.map((partition, index) => [partition, this.#rows[row + 1 + index]!]))
      // By now a later block may have replaced the row.
      if (this.#tail > block * blockBytes) return undefined
      const isThere = position <= this.published && Math.floor(position / blockBytes) === block
      if (isThere && [...reached].every(([partition, floor]) => fits(partition, floor))) return { position, reached }
    }
    return undefined
  }

  /** Begins to read the records from position `from` up to `to`, which are positions of records. */
  open(from: number, to: number): void {
    this.#next = from
    this.#end = to
    this.#at = 0
    this.#chunkEnd = 0
    this.isLapped = false
  }

  /** Moves to the next record. Returns false at the end, and if the reader is lapped. */
  next(): boolean {
    for (;;) {
      if (this.#at === this.#chunkEnd && !this.#load()) return false
      const at = this.#at
      const size = this.#ints[at >>> 2]!
      if (at + size > this.#chunkEnd) {
        // The rest of the chunk is the beginning of a record.
        this.#next -= this.#chunkEnd - at
        if (!this.#load(size)) return false
        continue
      }
      this.start = this.#next - this.#chunkEnd + at
      this.#at = at + size
      this.partition = this.#ints[(at >>> 2) + 1]!
      if (this.partition === layout.filler) continue
      this.keyLength = this.#ints[(at >>> 2) + 2]!
      this.isDeletion = this.#ints[(at >>> 2) + 3] === layout.deleted
      this.isOmitted = this.#ints[(at >>> 2) + 3] === layout.omitted
      this.changelogOffset = this.#doubles[(at >>> 3) + 2]!
      this.sourceOffset = this.#doubles[(at >>> 3) + 3]!
      this.keyStart = at + layout.recordHeaderBytes
      return true
    }
  }

  get #tail(): number {
    return Number(Atomics.load(this.#words, layout.tailWord))
  }

  /** Copies the next chunk, at least `bytesMin` of it. A record does not reach over the end of the ring. */
  #load(bytesMin = 0): boolean {
    this.#at = this.#chunkEnd = 0
    if (this.#next >= this.#end) return false
    const place = this.#next % this.#size
    if (bytesMin > this.#data.length) this.#enlarge(bytesMin)
    const bytes = Math.min(this.#end - this.#next, this.#size - place, this.#data.length)
    this.#data.set(this.#bytes.subarray(place, place + bytes))
    if (this.#tail > this.#next) {
      this.isLapped = true
      return false
    }
    this.#chunkEnd = bytes
    this.#next += bytes
    return true
  }

  #enlarge(bytes: number): void {
    this.#data = Buffer.alloc(2 ** Math.ceil(Math.log2(bytes)))
    this.#ints = new Int32Array(this.#data.buffer, this.#data.byteOffset, this.#data.length / 4)
    this.#doubles = new Float64Array(this.#data.buffer, this.#data.byteOffset, this.#data.length / 8)
  }
}
