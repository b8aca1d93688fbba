/**
 * One lookup at a time in the published side. A reader owns an epoch: odd while it is inside. Between entering and leaving
 * nothing it can reach is changed or reused by the writer.
 */
import { LatchkeyError } from '../../errors.ts'
import { epochWord, publishedSide } from '../memory/control.ts'
import { headerBytes } from '../memory/entry.ts'
import { halfSipHash13 } from '../memory/half-sip-hash.ts'
import { partitionOf } from '../memory/murmur2.ts'
import { locate, type TableView } from '../memory/probe.ts'
import type { ReaderView } from './reader-view.ts'
import { noteLookup } from './young-garbage.ts'

export interface Lookup {
  /** A copy of its own, not shared. */
  readonly value: Uint8Array
  readonly partition: number
  /** Source offset, -1 unknown. */
  readonly offset: number
  /** Milliseconds, -1 none. */
  readonly timestamp: number
}

/** A reader's epoch, lent to one Reader after another. */
export class Epoch {
  readonly word: number
  value = 0

  constructor(epoch: number) {
    this.word = epochWord(epoch)
  }
}

/** What acquire() hands out: valid until it is released, once. */
export class Reader {
  readonly #view: ReaderView
  #epoch: Epoch | undefined

  constructor(view: ReaderView, epoch: Epoch) {
    this.#view = view
    this.#epoch = epoch
  }

  /** The latest published value of a key; undefined if it has none here. Does not block. Throws internal once released. */
  get(key: Uint8Array): Lookup | undefined {
    const epoch = this.#epoch
    if (epoch === undefined) throw new LatchkeyError('internal', 'look a key up: the reader has been released')
    const found = this.#getWithin(epoch, key)
    noteLookup(found === undefined ? 0 : found.value.length)
    return found
  }

  /** Takes the epoch away; undefined if it was released before. For the pool. */
  detach(): Epoch | undefined {
    const epoch = this.#epoch
    this.#epoch = undefined
    return epoch
  }

  #getWithin(epoch: Epoch, key: Uint8Array): Lookup | undefined {
    const view = this.#view
    const hash = halfSipHash13(view.seed0, view.seed1, key, 0, key.length)
    const home = view.indexOf[partitionOf(key, view.partitionCount)] ?? -1
    const { control } = view
    epoch.value = (epoch.value + 1) | 0
    Atomics.store(control, epoch.word, epoch.value)
    try {
      return this.#find(view.tables[publishedSide(control)]!, home, hash, key)
    } finally {
      epoch.value = (epoch.value + 1) | 0
      Atomics.store(control, epoch.word, epoch.value)
    }
  }

  /** Home first. The others too: a producer may have used a partitioner of its own. */
  #find(tables: readonly (TableView | undefined)[], home: number, hash: number, key: Uint8Array): Lookup | undefined {
    const found = home < 0 ? undefined : this.#lookup(tables[home], home, hash, key)
    if (found !== undefined) return found
    for (let index = 0; index < tables.length; index++) {
      if (index === home) continue
      const elsewhere = this.#lookup(tables[index], index, hash, key)
      if (elsewhere !== undefined) return elsewhere
    }
    return undefined
  }

  #lookup(table: TableView | undefined, index: number, hash: number, key: Uint8Array): Lookup | undefined {
    // No table: the partition is bulk loading.
    if (table === undefined) return undefined
    const { log, partitions } = this.#view
    const slot = locate(table, log, hash, key, 0, key.length)
    if (slot < 0) return undefined
    const address = table.slots[2 * slot + 1]!
    const segment = log.segments[address >>> log.offsetBits]!
    const at = (address & log.offsetMask) << 3
    const start = at + headerBytes + segment.words[at >>> 2]!
    return {
      // A Uint8Array over shared memory is sliced into one over memory of its own.
      value: segment.bytes.slice(start, start + segment.words[(at >>> 2) + 1]!),
      partition: partitions[index]!,
      offset: segment.doubles[(at >>> 3) + 1]!,
      timestamp: segment.doubles[(at >>> 3) + 2]!,
    }
  }
}
