/** Reads of the map of one store thread, from the time that the thread has laid it out. */
import { ChiralMapReaders, type ChiralMapShared, type MapMessage, type Reader } from '../map/index.ts'
import { splitHeaderPrefix } from '../store-protocol/header-prefix.ts'
import { pinnedReadersMax } from '../store-protocol/limits.ts'
import type { Lookup } from '../store-protocol/status.ts'
import type { PinnedMapReader, ReaderSource } from './pinned-reader.ts'

export class ThreadReads implements ReaderSource {
  readonly #hasHeaderPrefix: boolean
  readonly #poolSize: number
  #readers: ChiralMapReaders | undefined
  #mark = ''

  constructor(hasHeaderPrefix: boolean, poolSize: number) {
    this.#hasHeaderPrefix = hasHeaderPrefix
    this.#poolSize = poolSize
  }

  get readers(): { size: number; inUse: number; waiting: number } {
    return this.#readers ?? { size: this.#poolSize, inUse: 0, waiting: 0 }
  }

  /** Identifies the map; empty before `open`. */
  get mark(): string {
    return this.#mark
  }

  /** Returns the version to confirm. */
  open(shared: ChiralMapShared, readerThread: number): number {
    this.#mark = shared.mark
    this.#readers = new ChiralMapReaders(shared, readerThread, { pinned: pinnedReadersMax })
    return shared.version
  }

  /** Returns the version to confirm. */
  receive(message: MapMessage): number {
    this.#readers?.receive(message)
    return message.version
  }

  setPartitionCount(partitionCount: number): void {
    this.#readers?.setPartitionCount(partitionCount)
  }

  /** Returns the latest published value of a key: at once if a reader is free, else a promise. Only after `open`. */
  find(key: Uint8Array): Lookup | undefined | Promise<Lookup | undefined> {
    const readers = this.#readers!
    const reader = readers.acquire()
    if (reader instanceof Promise) return reader.then((freed) => this.#read(readers, freed, key))
    return this.#read(readers, reader, key)
  }

  /**
   * Returns a reader of the pool, or a promise of one, for reads that enter it themselves. The caller releases it, and
   * separates kept headers from what it finds. Only after `open`.
   */
  acquire(): Reader | Promise<Reader> {
    return this.#readers!.acquire()
  }

  release(reader: Reader): void {
    this.#readers!.release(reader)
  }

  /** Returns a reader outside the pool. @throws LatchkeyError readers_exhausted */
  pin(): PinnedMapReader {
    const readers = this.#readers!
    const reader = readers.pin()
    return { get: (key) => this.#lookUp(reader, key), close: () => readers.unpin(reader) }
  }

  #read(readers: ChiralMapReaders, reader: Reader, key: Uint8Array): Lookup | undefined {
    try {
      return this.#lookUp(reader, key)
    } finally {
      readers.release(reader)
    }
  }

  #lookUp(reader: Reader, key: Uint8Array): Lookup | undefined {
    const found = reader.get(key)
    return found !== undefined && this.#hasHeaderPrefix ? splitHeaderPrefix(found) : found
  }
}
