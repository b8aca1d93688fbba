/**
 * Chooses segments to empty, and moves their live entries. Emptiest first, as log-structured storage does it: the fewer live
 * bytes a segment has, the less is copied for the same room.
 *
 * It always gets a partition below its bound: over all sealed segments bytes exceed allowance, so the one with the least
 * allowance has less than its size; moving its entries takes at most about three quarters of their allowance in new segments
 * (1 / (1 - 1/8) of small entries against 1.5, 2 + 1/7 of large ones against 3). So every move gains.
 */
import { LatchkeyError } from '../../errors.ts'
import { entryBytes, headerBytes, segmentDataStart } from '../memory/entry.ts'
import type { EntryLog, PartitionLog } from './entry-log.ts'
import { halfSipHash13 } from '../memory/half-sip-hash.ts'
import type { IndexTable } from './index-table.ts'
import { cleaningRoundBytes } from '../memory/limits.ts'
import type { Side } from '../memory/messages.ts'
import { Oplog } from './oplog.ts'
import type { Partition } from './partition-index.ts'
import type { LogSegment } from './segment-allocator.ts'

/** Entries whose slots are fetched together. */
const gatherBlock = 32

type Moved = (hash: number, slot: number, from: number, to: number) => void

export class Cleaner {
  readonly #log: EntryLog
  readonly #segmentBytes: number
  readonly #seed0: number
  readonly #seed1: number
  readonly #starts = new Int32Array(gatherBlock + 1)
  readonly #hashes = new Int32Array(gatherBlock + 1)

  constructor(log: EntryLog, segmentBytes: number, seed: readonly [number, number]) {
    this.#log = log
    this.#segmentBytes = segmentBytes
    this.#seed0 = seed[0]
    this.#seed1 = seed[1]
  }

  /** Brings a partition that is bulk loading below its bound. Without readers entries can be moved at once. */
  cleanBulk(log: PartitionLog, table: IndexTable): void {
    while (this.#log.isOverBound(log, 0)) {
      const victim = this.#victim(log, 0)
      if (victim === undefined) return
      const complete = this.#relocate(victim, log, table, (_hash, slot, from, to) => {
        table.replaceAt(slot, to)
        this.#log.die(log, from)
      })
      if (!complete) return
    }
  }

  /**
   * Copies entries out of the segments of live partitions that are above their bound, cleaningRoundBytes at most. Returns the
   * operations to publish next: the segments are free after that. None when nothing is to be done. Both sides must have all
   * operations before oplogStart.
   */
  cleanLive(partitions: readonly Partition[], side: Side, oplogStart: number): Oplog {
    const moves = new Oplog()
    let bytesLeft = cleaningRoundBytes
    for (const { log, tables, state } of partitions) {
      if (state !== 'live') continue
      for (let leaving = 0; bytesLeft > 0 && this.#log.isOverBound(log, leaving); leaving += this.#segmentBytes) {
        const victim = this.#victim(log, oplogStart)
        if (victim === undefined) break
        bytesLeft -= victim.liveBytes
        const complete = this.#relocate(victim, log, tables[side]!, (hash, _slot, _from, to) => {
          moves.makeRoom()
          moves.append(hash, to, 0)
        })
        if (!complete) return moves
      }
    }
    return moves
  }

  /**
   * The segment to empty next; undefined if none would gain anything. Entries of operations from `oplogStart` on are in no index
   * yet, so they cannot be moved: a segment that has any would be left half full, and is passed over.
   */
  #victim(log: PartitionLog, oplogStart: number): LogSegment | undefined {
    let best: LogSegment | undefined
    let leastAllowance = this.#segmentBytes
    for (const segment of this.#log.segments) {
      if (segment.owner !== log.index || !segment.sealed || segment.cleaning) continue
      if (segment.oplogEnd > oplogStart || segment.allowance >= leastAllowance) continue
      best = segment
      leastAllowance = segment.allowance
    }
    return best
  }

  /**
   * Appends a copy of every live entry of a segment, one that `table` has with its address, and calls `moved` for it. When moved
   * declares the old ones dead, the segment is freed with the last of them. False when memory ran out on the way.
   */
  #relocate(victim: LogSegment, log: PartitionLog, table: IndexTable, moved: Moved): boolean {
    victim.cleaning = true
    let { liveBytes } = victim
    // No further than the last live entry: then the segment may be in use again already.
    for (let next = segmentDataStart; liveBytes > 0 && next < victim.used;) {
      const count = this.#gather(victim, next, table)
      for (let i = 0; i < count && liveBytes > 0; i++) {
        const at = this.#starts[i]!
        const hash = this.#hashes[i]!
        const from = (victim.number << this.#log.offsetBits) | (at >>> 3)
        const slot = table.slotOf(hash, from)
        if (slot < 0) continue
        const size = sizeAt(victim, at)
        const to = this.#copy(log, victim, at)
        if (to === 0) {
          victim.cleaning = false
          return false
        }
        liveBytes -= size
        moved(hash, slot, from, to)
      }
      next = this.#starts[count]!
    }
    return true
  }

  /**
   * Notes start and hash of the next entries, and where they end. Reads their slots as it goes, so that the processor fetches
   * them together; one after another each would wait for memory.
   */
  #gather(victim: LogSegment, start: number, table: IndexTable): number {
    const starts = this.#starts
    let at = start
    let count = 0
    let read = 0
    for (; count < gatherBlock && at < victim.used; count++) {
      starts[count] = at
      const hash = halfSipHash13(this.#seed0, this.#seed1, victim.bytes, at + headerBytes, victim.words[at >>> 2]!)
      this.#hashes[count] = hash
      read ^= table.slots[2 * (hash >>> table.shift)]!
      at += sizeAt(victim, at)
    }
    starts[count] = at
    // Kept, so that the compiler cannot leave the reads out.
    this.#hashes[gatherBlock] = read
    return count
  }

  /** The new address, 0 when there is no memory. */
  #copy(log: PartitionLog, { bytes, words, doubles }: LogSegment, at: number): number {
    const keyLength = words[at >>> 2]!
    const valueLength = words[(at >>> 2) + 1]!
    const offset = doubles[(at >>> 3) + 1]!
    const timestamp = doubles[(at >>> 3) + 2]!
    const keyStart = at + headerBytes
    try {
      return this.#log.append(log, bytes, keyStart, keyLength, keyStart + keyLength, valueLength, offset, timestamp)
    } catch (error) {
      if (error instanceof LatchkeyError && error.code === 'memory_exhausted') return 0
      throw error
    }
  }
}

function sizeAt({ words }: LogSegment, at: number): number {
  return entryBytes(words[at >>> 2]!, words[(at >>> 2) + 1]!)
}
