/** The writing side of a change ring: see ../../store-protocol/change-ring.ts. */
import * as layout from '../../store-protocol/change-ring.ts'

export class ChangeRingWriter {
  readonly shared: layout.SharedChangeRing
  readonly #words: BigInt64Array
  readonly #rows: Float64Array
  readonly #ints: Int32Array
  readonly #doubles: Float64Array
  readonly #bytes: Uint8Array
  readonly #size: number
  readonly #blockBytes: number
  readonly #keyBytesMax: number
  /** Next changelog offset of each partition, in the order of the floors; -1 if unknown. */
  readonly #positions: Float64Array
  /** Number of the block in which the last record ends. */
  #block = 0
  #end = 0

  /**
   * @param size in bytes, a power of two
   * @param positions of the changelog up to which everything is in the map. They are read at each new block
   */
  constructor(size: number, partitions: readonly number[], positions: Float64Array) {
    this.shared = layout.createChangeRing(size, partitions)
    this.#words = layout.controlWords(this.shared)
    this.#rows = layout.blockRows(this.shared)
    this.#ints = new Int32Array(this.shared.bytes)
    this.#doubles = new Float64Array(this.shared.bytes)
    this.#bytes = new Uint8Array(this.shared.bytes)
    this.#size = size
    this.#blockBytes = size / layout.blocks
    this.#keyBytesMax = layout.keyBytesMax(size)
    this.#positions = positions
    this.#beginBlock()
  }

  /** Position after the last record. */
  get end(): number {
    return this.#end
  }

  /** Position up to which readers see the records. */
  get published(): number {
    return Number(Atomics.load(this.#words, layout.publishedWord))
  }

  /** Appends a change. A key that is too long is left out: readers then look for it in the changelog. */
  append(
    partition: number,
    changelogOffset: number,
    sourceOffset: number,
    source: Uint8Array,
    keyStart: number,
    keyLength: number,
    isDeletion: boolean,
  ): void {
    const isOmitted = keyLength > this.#keyBytesMax
    const bytes = isOmitted ? 0 : keyLength
    const size = layout.recordBytes(bytes)
    const left = this.#size - (this.#end & (this.#size - 1))
    if (left < size) this.#write(left, layout.filler)
    const at = this.#write(size, partition)
    this.#ints[(at >>> 2) + 2] = bytes
    this.#ints[(at >>> 2) + 3] = isOmitted ? layout.omitted : isDeletion ? layout.deleted : 0
    this.#doubles[(at >>> 3) + 2] = changelogOffset
    this.#doubles[(at >>> 3) + 3] = sourceOffset
    const to = at + layout.recordHeaderBytes
    for (let i = 0; i < bytes; i++) this.#bytes[to + i] = source[keyStart + i]!
  }

  /** Lets readers see the records below a position. Call it after the publish that makes their changes visible. */
  publish(end: number): void {
    Atomics.store(this.#words, layout.publishedWord, BigInt(end))
  }

  /** A partition leaves: what the ring has of it does not lead to what it has when it returns. */
  forget(index: number): void {
    const width = 1 + this.#positions.length
    for (let block = 0; block < layout.blocks; block++) this.#rows[block * width + 1 + index] = Number.POSITIVE_INFINITY
  }

  /** Gives up all records and begins again at the present positions. */
  restart(): void {
    this.#block += layout.blocks
    this.#end = this.#block * this.#blockBytes
    this.#beginBlock()
    Atomics.store(this.#words, layout.tailWord, BigInt(this.#end))
    this.publish(this.#end)
  }

  /** Reserves the space of a record and writes size and partition. Returns its place in the ring. */
  #write(size: number, partition: number): number {
    const at = this.#end % this.#size
    const end = this.#end + size
    const block = Math.floor(end / this.#blockBytes)
    if (block > this.#block) {
      // The block after the one that is written next: it is no longer read by the time it is written.
      const tail = (block + 2 - layout.blocks) * this.#blockBytes
      if (tail > 0) Atomics.store(this.#words, layout.tailWord, BigInt(tail))
    }
    this.#ints[at >>> 2] = size
    this.#ints[(at >>> 2) + 1] = partition
    this.#end = end
    if (block > this.#block) {
      this.#block = block
      this.#beginBlock()
    }
    return at
  }

  #beginBlock(): void {
    const width = 1 + this.#positions.length
    const row = (this.#block % layout.blocks) * width
    this.#rows[row] = this.#end
    this.#rows.set(this.#positions, row + 1)
  }
}
