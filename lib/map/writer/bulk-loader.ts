/** Changes the only table of a partition in bulk loading at once, without the oplog: no reader knows the table. */
import { tombstone } from '../memory/entry.ts'
import type { Cleaner } from './cleaner.ts'
import type { EntryLog } from './entry-log.ts'
import type { IndexPartition, PartitionIndex } from './partition-index.ts'

export class BulkLoader {
  readonly #index: PartitionIndex
  readonly #log: EntryLog
  readonly #cleaner: Cleaner

  constructor(index: PartitionIndex, log: EntryLog, cleaner: Cleaner) {
    this.#index = index
    this.#log = log
    this.#cleaner = cleaner
  }

  /** As ChiralMap.put. Throws memory_exhausted; then nothing has changed. */
  put(
    partition: IndexPartition,
    hash: number,
    source: Uint8Array,
    keyStart: number,
    keyLength: number,
    valueStart: number,
    valueLength: number,
    offset: number,
    timestamp: number,
  ): void {
    const { log } = partition
    let dead: number
    if (valueLength === tombstone) {
      dead = this.#index.remove(partition, 0, hash, source, keyStart, keyLength)
    } else {
      const address = this.#log.append(log, source, keyStart, keyLength, valueStart, valueLength, offset, timestamp)
      try {
        dead = this.#index.insert(partition, 0, hash, source, keyStart, keyLength, address)
      } catch (error) {
        this.#log.markDead(log, address)
        throw error
      }
    }
    if (dead !== 0) this.#log.markDead(log, dead)
    if (this.#log.isOverBound(log, 0)) this.#cleaner.cleanBulk(log, partition.tables[0]!)
  }

  /** Brings a partition below its bound. */
  clean(partition: IndexPartition): void {
    this.#cleaner.cleanBulk(partition.log, partition.tables[0]!)
  }

  /** Deletes all entries of a partition. */
  clear(partition: IndexPartition): void {
    partition.tables[0]!.clear()
    this.#log.clear(partition.log)
  }
}
