/**
 * The chiral map: the latest value of every key. One thread writes it, other threads read it without locks. Shared
 * memory holds one log of entries and two copies of its index, left and right. Readers use the published side while the
 * writer changes the other. A publish swaps the sides for all partitions with one atomic store. It costs a second
 * index, and writes become visible only at a publish. In return a read takes no lock and sees one consistent state.
 */
import { awaitReaders, createControl } from '../memory/control.ts'
import { checkEntrySize, checkRange, entryBytes, tombstone } from '../memory/entry.ts'
import { halfSipHash13 } from '../memory/half-sip-hash.ts'
import { addressSpaceBytes, slabBytesDefault } from '../memory/limits.ts'
import type { ChiralMapShared } from '../memory/map-messages.ts'
import { copyEntry, locate, type StoredEntry, type TableView } from '../memory/probe.ts'
import { createFigures, SideFigures } from '../memory/side-figures.ts'
import { Announcements } from './announcements.ts'
import { BulkLoader } from './bulk-loader.ts'
import { Cleaner } from './cleaner.ts'
import { EntryLog } from './entry-log.ts'
import { type KeyAt, liveKeys, liveSteps } from './keys.ts'
import { LeftRight } from './left-right.ts'
import { type MapMemory, memoryOf, type PartitionStats } from './map-memory.ts'
import { Oplog } from './oplog.ts'
import { checkOptions, type ChiralMapOptions, firstTableBits, segmentBytesFor } from './options.ts'
import { PartitionIndex } from './partition-index.ts'
import { PartitionLives } from './partition-lives.ts'
import { Publisher } from './publisher.ts'
import { type ReleaseBounds, SegmentAllocator } from './segment-allocator.ts'
import { SnapshotAccess } from './snapshot-access.ts'

export class ChiralMap {
  readonly snapshots: SnapshotAccess
  readonly #options: ChiralMapOptions
  readonly #mark = crypto.getRandomValues(new Uint8Array(8)).toHex()
  readonly #control: SharedArrayBuffer
  readonly #seed0: number
  readonly #seed1: number
  readonly #announcements: Announcements
  readonly #allocator: SegmentAllocator
  readonly #log: EntryLog
  readonly #index: PartitionIndex
  readonly #lives: PartitionLives
  readonly #leftRight: LeftRight
  readonly #bulk: BulkLoader
  readonly #publisher: Publisher
  readonly #figures: SharedArrayBuffer
  readonly #oplog = new Oplog()

  /** The held partitions start in bulk loading, the others absent. Throws invalid_settings. */
  constructor(options: ChiralMapOptions) {
    checkOptions(options)
    this.#options = options
    const segmentBytes = segmentBytesFor(options)
    const [seed0 = 0, seed1 = 0] = options.seed ?? crypto.getRandomValues(new Int32Array(2))
    this.#seed0 = seed0
    this.#seed1 = seed1
    this.#control = createControl(options.readersMax * options.readerThreads)
    this.#announcements = new Announcements(options.readerThreads, options.announce)
    const { partitions, slabBytes = slabBytesDefault, bytesMax = addressSpaceBytes } = options
    this.#allocator = new SegmentAllocator({ segmentBytes, slabBytes, bytesMax }, this.#announcements)
    this.#log = new EntryLog(this.#allocator)
    this.#index = new PartitionIndex(partitions, this.#log, this.#allocator)
    this.#lives = new PartitionLives(this.#index, this.#allocator, this.#announcements, firstTableBits(options))
    for (const partition of options.held ?? partitions) this.#lives.add(partition)
    const cleaner = new Cleaner(this.#log, segmentBytes, [seed0, seed1])
    this.#bulk = new BulkLoader(this.#index, this.#log, cleaner)
    this.#leftRight = new LeftRight(new Int32Array(this.#control), this.#announcements, () => this.awaitReaders())
    this.#figures = createFigures(partitions.length)
    const figures = new SideFigures(this.#figures, partitions.length)
    const written = { oplog: this.#oplog, index: this.#index, lives: this.#lives }
    this.#publisher = new Publisher(written, this.#leftRight, cleaner, this.#allocator, figures)
    this.snapshots = new SnapshotAccess(this.#index, this.#allocator, this.#publisher, [seed0, seed1])
    this.#announcements.begin()
  }

  /** State for a new reader thread. The messages of later versions must follow it. */
  get shared(): ChiralMapShared {
    const { partitions, partitionCount, readersMax, readerThreads } = this.#options
    return {
      version: this.#announcements.version,
      mark: this.#mark,
      control: this.#control,
      figures: this.#figures,
      segmentBytes: this.#allocator.segmentBytes,
      seed: [this.#seed0, this.#seed1],
      partitions,
      partitionCount,
      readersMax,
      readerThreads,
      messages: this.#announcements.current,
    }
  }

  /** Operations that are not yet visible on both sides. */
  get oplogLength(): number {
    return this.#oplog.length
  }

  /** Operations, since the start, that both sides have: all operations put, minus oplogLength. */
  get operationsAbsorbed(): number {
    return this.#oplog.start
  }

  /** Bytes of the entries of these operations. They count on top of the memory bound: publish regularly. */
  get oplogBytes(): number {
    return this.#oplog.bytes
  }

  /**
   * Sets the latest value of a key, copied from `source`; valueLength -1 deletes it. Visible after the next publish(),
   * in bulk loading after the first publish() after open(). Offset -1 means unknown, timestamp (ms) -1 none. Throws
   * entry_too_large, or memory_exhausted when no memory is left or oplogOperationsMax operations wait; then nothing
   * has changed.
   */
  put(
    partition: number,
    source: Uint8Array,
    keyStart: number,
    keyLength: number,
    valueStart: number,
    valueLength: number,
    offset: number,
    timestamp: number,
  ): void {
    const held = this.#lives.held(partition)
    checkRange('key', source, keyStart, keyLength)
    if (valueLength !== tombstone) checkRange('value', source, valueStart, valueLength)
    checkEntrySize(partition, offset, keyLength, valueLength)
    const hash = halfSipHash13(this.#seed0, this.#seed1, source, keyStart, keyLength)
    if (held.state === 'bulk') {
      this.#bulk.put(held, hash, source, keyStart, keyLength, valueStart, valueLength, offset, timestamp)
      return
    }
    this.#oplog.makeRoom()
    const address = this.#log.append(held.log, source, keyStart, keyLength, valueStart, valueLength, offset, timestamp)
    this.#oplog.append(hash, address, entryBytes(keyLength, valueLength))
    this.#log.segments[address >>> this.#log.offsetBits]!.oplogEnd = this.#oplog.end
  }

  /** Records that a reader thread has applied all messages up to a version. */
  confirmed(readerThread: number, version: number): void {
    this.#announcements.confirmed(readerThread, version)
  }

  /** Whether a partition is in memory and takes operations. */
  holds(partition: number): boolean {
    return this.#lives.holds(partition)
  }

  /** Begins bulk loading of an absent partition. Throws internal for another one, or memory_exhausted. */
  add(partition: number): void {
    this.#lives.add(partition)
  }

  /**
   * Removes a partition. It takes no operations from now on. In bulk loading it is absent at once, otherwise when a
   * publish() that is called afterwards has resolved. Its memory is free then.
   */
  remove(partition: number): void {
    this.#lives.remove(this.#lives.held(partition), this.#publisher.calls)
  }

  /** Ends bulk loading of a partition. Readers see it from the next publish() on. Throws memory_exhausted. */
  open(partition: number): void {
    this.#lives.open(this.#lives.bulk('open', partition), this.#publisher.calls)
  }

  /** Makes room for `entries` in a partition in bulk loading. Throws memory_exhausted; then nothing has changed. */
  reserve(partition: number, entries: number): void {
    this.#lives.reserve(this.#lives.bulk('reserve', partition), entries)
  }

  /** Deletes all entries of a partition in bulk loading. */
  clear(partition: number): void {
    this.#bulk.clear(this.#lives.bulk('clear', partition))
  }

  /**
   * Makes every put() before this call visible at once, on all partitions. Resolves with their number when both sides
   * have them and dead entries are cleaned. Later puts wait for the next call. Calls run one after another. Rejects
   * with flush_timed_out when a reader thread does not answer; the next publish() continues where this one stopped.
   */
  publish(): Promise<number> {
    return this.#publisher.publish()
  }

  /** All zero for a partition that is not in memory. */
  stats(partition: number): PartitionStats {
    if (!this.#lives.holds(partition)) return { entries: 0, liveBytes: 0, totalBytes: 0, indexBytes: 0 }
    const { log, tables, state } = this.#lives.held(partition)
    const table = tables[state === 'bulk' ? 0 : this.#leftRight.unpublished]!
    const indexBytes = tables.reduce((sum, { bytes }) => sum + bytes, 0)
    return { entries: table.count, liveBytes: log.liveBytes, totalBytes: this.#log.totalBytes(log), indexBytes }
  }

  /** What the whole map takes of the process's memory. */
  get memory(): MapMemory {
    return memoryOf(this.#index.partitions, this.#allocator, this.#oplog)
  }

  /**
   * Lowers the bound of dead entries to 1.15 times the live ones, or restores it: see DESIGN.md, Memory. Partitions in
   * bulk loading are cleaned at once, the others with the next publish().
   */
  setTight(isTight: boolean): void {
    this.#log.setTight(isTight)
    for (const partition of this.#index.partitions) if (partition.state === 'bulk') this.#bulk.clean(partition)
  }

  /** As SegmentAllocator.releaseFree. */
  releaseFree(release: (bytes: Uint8Array) => boolean, bounds?: ReleaseBounds): number {
    return this.#allocator.releaseFree(release, bounds)
  }

  /**
   * Returns copies of the keys as of the last publish (in bulk loading: now). If the map changes meanwhile, a key that
   * exists throughout appears once; other keys may or may not appear. Only for the writer's thread.
   */
  keys(partition: number): Generator<Uint8Array, void, undefined> {
    return liveKeys(this.#log, this.#tableToRead(partition))
  }

  /** Like keys(), in steps of some hundred, possibly empty: keys whose entry has an accepted source offset. */
  keysByOffset(partition: number, accepts: (offset: number) => boolean): Generator<KeyAt[], void, undefined> {
    return liveSteps(this.#log, this.#tableToRead(partition), accepts)
  }

  /** Returns a key's value after the absorbed operations (in bulk loading: after all). Only for the writer's thread. */
  latest(partition: number, key: Uint8Array, start = 0, length = key.length): StoredEntry | undefined {
    const table = this.#tableToRead(partition)()
    return copyEntry(table, this.#log, halfSipHash13(this.#seed0, this.#seed1, key, start, length), key, start, length)
  }

  /** Returns whether latest() would find a value. Only for the writer's thread. */
  has(partition: number, key: Uint8Array, start: number, length: number): boolean {
    const hash = halfSipHash13(this.#seed0, this.#seed1, key, start, length)
    return locate(this.#tableToRead(partition)(), this.#log, hash, key, start, length) >= 0
  }

  /** Resolves when no reader is inside the side that was unpublished last. A separate method for tests to break. */
  protected awaitReaders(): Promise<void> {
    return awaitReaders(new Int32Array(this.#control))
  }

  #tableToRead(partition: number): () => TableView {
    return () => {
      const { tables, state } = this.#lives.held(partition)
      return tables[state === 'bulk' ? 0 : this.#leftRight.published]!
    }
  }
}
