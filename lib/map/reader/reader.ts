/**
 * Reads the published side. A reader owns an epoch, which is odd while the reader is inside. Between enter and leave
 * the writer neither changes nor reuses anything that the reader can reach.
 */
import { LatchkeyError } from '../../errors.ts'
import { epochWord, loadExchanges, publishedSide } from '../memory/control.ts'
import { headerBytes } from '../memory/entry.ts'
import { halfSipHash13 } from '../memory/half-sip-hash.ts'
import { partitionOf } from '../memory/murmur2.ts'
import { locate, type TableView } from '../memory/probe.ts'
import { type MapChunk, type MapChunkBounds, readChunk } from './chunk.ts'
import type { MapEntry } from './map-entry.ts'
import type { ReaderView } from './reader-view.ts'
import { noteLookup } from './young-garbage.ts'

/** Stands for an entry whose value is larger than the caller takes. */
export const oversized = Symbol('oversized')

/** Keys whose memory is fetched together [measured in absorbing: 16 to 64 make no difference]. */
export const touchBlock = 32
/** Each thread has its own copy of this module. */
const touched = new Int32Array(touchBlock)

/** The epoch of a reader. One Reader after another uses it. */
export class Epoch {
  readonly word: number
  value = 0

  constructor(epoch: number) {
    this.word = epochWord(epoch)
  }
}

/** The result of acquire() or pin(). Valid until its release. */
export class Reader {
  readonly #view: ReaderView
  #epoch: Epoch | undefined
  /** Number of exchanges, modulo 2^32, that determines the side while the reader is inside. */
  #exchanges = 0

  constructor(view: ReaderView, epoch: Epoch) {
    this.#view = view
    this.#epoch = epoch
  }

  /**
   * Returns the latest published value of a key, or undefined if it has none here. Does not block. Throws internal
   * after the release.
   */
  get(key: Uint8Array): MapEntry | undefined {
    const found = this.#getWithin(this.#held('look a key up'), key)
    noteLookup(found === undefined ? 0 : found.value.length)
    return found
  }

  /**
   * Enters the map, until `leave`. Everything between the two must be synchronous: the writer waits. Several maps are
   * entered with readTogether(). Throws internal after the release.
   */
  enter(): void {
    const epoch = this.#held('enter the map')
    const { control } = this.#view
    epoch.value = (epoch.value + 1) | 0
    Atomics.store(control, epoch.word, epoch.value)
    this.#exchanges = loadExchanges(control)
  }

  /**
   * Turns to the side that is published now, without leaving. Returns whether the sides were exchanged since the last
   * call or `enter`. While the reader is inside that happens once at most, because the next exchange waits for it.
   */
  turn(): boolean {
    const exchanges = loadExchanges(this.#view.control)
    const turned = exchanges !== this.#exchanges
    this.#exchanges = exchanges
    return turned
  }

  leave(): void {
    const epoch = this.#held('leave the map')
    epoch.value = (epoch.value + 1) | 0
    Atomics.store(this.#view.control, epoch.word, epoch.value)
  }

  /** Number of exchanges that led to the side that the reader is inside of. */
  get exchanges(): number {
    return this.#view.figures.exchanges(publishedSide(this.#exchanges))
  }

  /**
   * Brings the memory that finding keys `from` to `to` will read into the processor's cache, while inside. Found one
   * after another, each key would wait for memory twice; independent reads wait together.
   * @param owners index of the map of each key. Keys of other maps than `owner` are passed over
   */
  touch(keys: readonly Uint8Array[], from: number, to: number, owners: readonly number[], owner: number): void {
    const { seed0, seed1, indexOf, partitionCount, log } = this.#view
    const tables = this.#view.tables[publishedSide(this.#exchanges)]
    let count = 0
    for (let i = from; i < to; i++) {
      if (owners[i] !== owner) continue
      const key = keys[i]!
      const table = tables[indexOf[partitionOf(key, partitionCount)] ?? -1]
      if (table === undefined) continue
      const hash = halfSipHash13(seed0, seed1, key, 0, key.length)
      const { slots, mask } = table
      let slot = hash >>> table.shift
      while (slots[2 * slot] !== hash && slots[2 * slot + 1] !== 0) slot = (slot + 1) & mask
      const address = slots[2 * slot + 1]!
      if (address !== 0) touched[count++] = address
    }
    let read = 0
    for (let i = 0; i < count; i++) {
      const address = touched[i]!
      const { words } = log.segments[address >>> log.offsetBits]!
      const at = (address & log.offsetMask) << 1
      // Four cache lines of 64 bytes: header, key and the value of a small entry. At the end of a slab some are absent.
      read ^= words[at]! ^ words[at + 16]! ^ words[at + 32]! ^ words[at + 48]!
    }
    // Stored so that the compiler cannot remove the reads.
    touched[0] = read
  }

  /** Looks a key up while inside. Returns `oversized` without copying if its value is longer than valueBytesMax. */
  find(key: Uint8Array, valueBytesMax: number): MapEntry | typeof oversized | undefined {
    const view = this.#view
    const hash = halfSipHash13(view.seed0, view.seed1, key, 0, key.length)
    const home = view.indexOf[partitionOf(key, view.partitionCount)] ?? -1
    return this.#find(view.tables[publishedSide(this.#exchanges)], home, hash, key, valueBytesMax)
  }

  /**
   * Returns entries of a partition in order of their hashes, from hash `from` on, while inside. There are none if the
   * map does not hold or show the partition.
   */
  readChunk(partition: number, from: number, bounds: MapChunkBounds): MapChunk {
    const { indexOf, tables, log } = this.#view
    const table = tables[publishedSide(this.#exchanges)][indexOf[partition] ?? -1]
    if (table === undefined) return { entries: [], examined: 0, bytes: 0, next: undefined }
    return readChunk(log, table, partition, from, bounds)
  }

  /** Returns the number of entries that the side shows, of all partitions, while inside. */
  count(): number {
    const { figures, partitions } = this.#view
    const side = publishedSide(this.#exchanges)
    let count = 0
    for (let index = 0; index < partitions.length; index++) count += figures.entries(side, index)
    return count
  }

  /** As count(), of one partition: 0 if the map does not hold it. */
  countOf(partition: number): number {
    const { figures, indexOf } = this.#view
    const index = indexOf[partition]
    return index === undefined || index < 0 ? 0 : figures.entries(publishedSide(this.#exchanges), index)
  }

  /** Takes the epoch out of the reader, for the pool. Returns undefined if the reader has been released before. */
  detach(): Epoch | undefined {
    const epoch = this.#epoch
    this.#epoch = undefined
    return epoch
  }

  #held(attempted: string): Epoch {
    if (this.#epoch !== undefined) return this.#epoch
    throw new LatchkeyError('internal', `${attempted}: the reader has been released`)
  }

  #getWithin(epoch: Epoch, key: Uint8Array): MapEntry | undefined {
    const view = this.#view
    const hash = halfSipHash13(view.seed0, view.seed1, key, 0, key.length)
    const home = view.indexOf[partitionOf(key, view.partitionCount)] ?? -1
    const { control } = view
    epoch.value = (epoch.value + 1) | 0
    Atomics.store(control, epoch.word, epoch.value)
    try {
      const tables = view.tables[publishedSide(loadExchanges(control))]
      return this.#find(tables, home, hash, key, Number.POSITIVE_INFINITY) as MapEntry | undefined
    } finally {
      epoch.value = (epoch.value + 1) | 0
      Atomics.store(control, epoch.word, epoch.value)
    }
  }

  /** Tries the home partition first, then the others, because a producer may use a custom partitioner. */
  #find(
    tables: readonly (TableView | undefined)[],
    home: number,
    hash: number,
    key: Uint8Array,
    valueBytesMax: number,
  ): MapEntry | typeof oversized | undefined {
    const found = home < 0 ? undefined : this.#lookup(tables[home], home, hash, key, valueBytesMax)
    if (found !== undefined) return found
    for (let index = 0; index < tables.length; index++) {
      if (index === home) continue
      const elsewhere = this.#lookup(tables[index], index, hash, key, valueBytesMax)
      if (elsewhere !== undefined) return elsewhere
    }
    return undefined
  }

  #lookup(
    table: TableView | undefined,
    index: number,
    hash: number,
    key: Uint8Array,
    valueBytesMax: number,
  ): MapEntry | typeof oversized | undefined {
    // A partition without a table is bulk loading or absent.
    if (table === undefined) return undefined
    const { log, partitions } = this.#view
    const slot = locate(table, log, hash, key, 0, key.length)
    if (slot < 0) return undefined
    const address = table.slots[2 * slot + 1]!
    const segment = log.segments[address >>> log.offsetBits]!
    const at = (address & log.offsetMask) << 3
    const start = at + headerBytes + segment.words[at >>> 2]!
    const valueLength = segment.words[(at >>> 2) + 1]!
    if (valueLength > valueBytesMax) return oversized
    return {
      // The slice of a Uint8Array over shared memory is a copy in unshared memory.
      value: segment.bytes.slice(start, start + valueLength),
      partition: partitions[index]!,
      offset: segment.doubles[(at >>> 3) + 1]!,
      timestamp: segment.doubles[(at >>> 3) + 2]!,
    }
  }
}
