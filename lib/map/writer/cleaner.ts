/**
 * Chooses segments to empty, and moves their live entries. It takes the emptiest segments first, as log-structured
 * storage does: the fewer live bytes a segment has, the less is copied for the same gain.
 *
 * Cleaning always brings a partition below its bound. Above the bound, the sealed segments together have more bytes
 * than allowance, so the segment with the least allowance has less allowance than its size. Moving its entries takes at
 * most about three quarters of their allowance in new segments: 1 / (1 - 1/8) of small entries against 1.5, 2 + 1/7 of
 * large ones against 3. So every move frees memory.
 */
import { LatchkeyError } from '../../errors.ts'
import { entryBytes, headerBytes, segmentDataStart } from '../memory/entry.ts'
import { halfSipHash13 } from '../memory/half-sip-hash.ts'
import { cleaningRoundBytes } from '../memory/limits.ts'
import type { Side } from '../memory/map-messages.ts'
import type { EntryLog, PartitionLog } from './entry-log.ts'
import type { IndexTable } from './index-table.ts'
import { Oplog } from './oplog.ts'
import type { IndexPartition } from './partition-index.ts'
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

  /** Brings a partition in bulk loading below its bound. It has no readers, so entries move at once. */
  cleanBulk(log: PartitionLog, table: IndexTable): void {
    while (this.#log.isOverBound(log, 0)) {
      const victim = this.#victim(log, 0)
      if (victim === undefined) return
      const complete = this.#relocate(victim, log, table, (_hash, slot, from, to) => {
        table.replaceAt(slot, to)
        this.#log.markDead(log, from)
      })
      if (!complete) return
    }
  }

  /**
   * Copies entries out of the segments of live partitions that are above their bound, at most cleaningRoundBytes.
   * Returns the operations to publish next, which free the segments; an empty oplog when there is nothing to do. Both
   * sides must have all operations before oplogStart.
   */
  cleanLive(partitions: readonly IndexPartition[], side: Side, oplogStart: number): Oplog {
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
   * Returns the segment to empty next, or undefined if cleaning would free nothing. The entries of operations
   * from `oplogStart` on are in no index yet and cannot move. A segment with such an entry would stay half full,
   * so it is skipped.
   */
  #victim(log: PartitionLog, oplogStart: number): LogSegment | undefined {
    let best: LogSegment | undefined
    let leastAllowance = this.#segmentBytes / this.#log.boundScale
    for (const segment of this.#log.segments) {
      if (segment.owner !== log.index || !segment.sealed || segment.cleaning) continue
      if (segment.oplogEnd > oplogStart || segment.allowance >= leastAllowance) continue
      best = segment
      leastAllowance = segment.allowance
    }
    return best
  }

  /**
   * Appends a copy of every live entry of a segment and calls `moved` for it. An entry is live when `table` has
   * its address. When `moved` declares the old entries dead, the last one frees the segment. Returns false when
   * memory ran out.
   */
  #relocate(victim: LogSegment, log: PartitionLog, table: IndexTable, moved: Moved): boolean {
    victim.cleaning = true
    let { liveBytes } = victim
    // The loop ends with the last live entry, because after that the segment may already be in use again.
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
   * Records start and hash of the next entries, and the end of the last one. Reads their slots along the way, so that
   * the processor fetches them together. One after another, each read would wait for memory.
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
    // Stored so that the compiler cannot remove the reads.
    this.#hashes[gatherBlock] = read
    return count
  }

  /** Returns the new address, or 0 when there is no memory. */
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
