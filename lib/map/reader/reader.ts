/**
 * Looks up one key at a time on the published side. A reader owns an epoch, which is odd during a lookup. Between enter
 * and leave the writer neither changes nor reuses anything that the reader can reach.
 */
import { LatchkeyError } from '../../errors.ts'
import { epochWord, publishedSide } from '../memory/control.ts'
import { headerBytes } from '../memory/entry.ts'
import { halfSipHash13 } from '../memory/half-sip-hash.ts'
import { partitionOf } from '../memory/murmur2.ts'
import { locate, type TableView } from '../memory/probe.ts'
import type { ReaderView } from './reader-view.ts'
import { noteLookup } from './young-garbage.ts'

export interface MapEntry {
  /** A copy in unshared memory. */
  readonly value: Uint8Array
  readonly partition: number
  /** Source offset, or -1 if unknown. */
  readonly offset: number
  /** Milliseconds, or -1 if there is none. */
  readonly timestamp: number
}

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

  constructor(view: ReaderView, epoch: Epoch) {
    this.#view = view
    this.#epoch = epoch
  }

  /**
   * Returns the latest published value of a key, or undefined if it has none here. Does not block. Throws internal
   * after the release.
   */
  get(key: Uint8Array): MapEntry | undefined {
    const epoch = this.#epoch
    if (epoch === undefined) throw new LatchkeyError('internal', 'look a key up: the reader has been released')
    const found = this.#getWithin(epoch, key)
    noteLookup(found === undefined ? 0 : found.value.length)
    return found
  }

  /** Takes the epoch out of the reader, for the pool. Returns undefined if the reader has been released before. */
  detach(): Epoch | undefined {
    const epoch = this.#epoch
    this.#epoch = undefined
    return epoch
  }

  #getWithin(epoch: Epoch, key: Uint8Array): MapEntry | undefined {
    const view = this.#view
    const hash = halfSipHash13(view.seed0, view.seed1, key, 0, key.length)
    const home = view.indexOf[partitionOf(key, view.partitionCount)] ?? -1
    const { control } = view
    epoch.value = (epoch.value + 1) | 0
    Atomics.store(control, epoch.word, epoch.value)
    try {
      return this.#find(view.tables[publishedSide(control)], home, hash, key)
    } finally {
      epoch.value = (epoch.value + 1) | 0
      Atomics.store(control, epoch.word, epoch.value)
    }
  }

  /** Tries the home partition first, then the others, because a producer may use a custom partitioner. */
  #find(tables: readonly (TableView | undefined)[], home: number, hash: number, key: Uint8Array): MapEntry | undefined {
    const found = home < 0 ? undefined : this.#lookup(tables[home], home, hash, key)
    if (found !== undefined) return found
    for (let index = 0; index < tables.length; index++) {
      if (index === home) continue
      const elsewhere = this.#lookup(tables[index], index, hash, key)
      if (elsewhere !== undefined) return elsewhere
    }
    return undefined
  }

  #lookup(table: TableView | undefined, index: number, hash: number, key: Uint8Array): MapEntry | undefined {
    // A partition without a table is bulk loading.
    if (table === undefined) return undefined
    const { log, partitions } = this.#view
    const slot = locate(table, log, hash, key, 0, key.length)
    if (slot < 0) return undefined
    const address = table.slots[2 * slot + 1]!
    const segment = log.segments[address >>> log.offsetBits]!
    const at = (address & log.offsetMask) << 3
    const start = at + headerBytes + segment.words[at >>> 2]!
    return {
      // The slice of a Uint8Array over shared memory is a copy in unshared memory.
      value: segment.bytes.slice(start, start + segment.words[(at >>> 2) + 1]!),
      partition: partitions[index]!,
      offset: segment.doubles[(at >>> 3) + 1]!,
      timestamp: segment.doubles[(at >>> 3) + 2]!,
    }
  }
}
