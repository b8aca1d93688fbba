/**
 * Reads for a follower which keys have changed since a place that the rings do not have any more: from the changelog, up
 * to where the rings go on. Keeps an offset for each partition, and no keys.
 */
import type { ChangeId } from '../../store-protocol/change-id.ts'
import { KeysCursor } from '../../store-protocol/changed-keys.ts'
import type { ChangedKey } from './change-scan.ts'
import type { KeptPart, PartWait } from './changelog-parts.ts'
import type { FollowedKeyFilter } from './key-filter.ts'
import type { ThreadChanges } from './thread-changes.ts'

/** Partitions of which a follower requests keys at a time. */
const partitionsMax = 4
/** Records that are looked at in one turn. */
const examinedMax = 4_000
/**
 * Part of delete.retention.ms for which a place is good. The rest is for clocks that differ, and for what was written
 * when the place was named and not visible yet.
 */
const retentionPart = 0.9

interface PartitionReading {
  readonly thread: ThreadChanges
  readonly partition: number
  /** Everything below it was taken. */
  at: number
  /** What was visible when the reading began: from here on, the ring has what changes. */
  readonly to: number
  wait: PartWait | undefined
  /** Where in a part the record of `at` is. */
  hint: { readonly serial: number; readonly byte: number } | undefined
}

export class MissedChanges {
  /** The place at which the reading began. */
  readonly origin: ChangeId
  readonly #filter: FollowedKeyFilter
  readonly #wake: () => void
  readonly #readings: readonly PartitionReading[]
  /** Those that are not at their end. */
  readonly #open: Set<PartitionReading>

  /** @returns undefined if it is not known from where or up to where a partition is to be read */
  static from(
    place: ChangeId,
    threads: readonly ThreadChanges[],
    filter: FollowedKeyFilter,
    wake: () => void,
  ): MissedChanges | undefined {
    const readings: PartitionReading[] = []
    for (const thread of threads) {
      for (const [partition, reached] of thread.positions) {
        if (!filter.wantsPartition(partition)) continue
        const at = place.positions.get(partition)
        if (at === undefined || reached < 0 || thread.inexact.has(partition)) return undefined
        // A place that is not reached here is looked up: it may be one of a log that has lost it.
        readings.push({ thread, partition, at, to: Math.max(at, reached), wait: undefined, hint: undefined })
      }
    }
    return new MissedChanges(place, readings, filter, wake)
  }

  constructor(place: ChangeId, readings: readonly PartitionReading[], filter: FollowedKeyFilter, wake: () => void) {
    this.origin = place
    this.#readings = readings
    this.#filter = filter
    this.#wake = wake
    const isOpen = ({ thread, partition, at, to }: PartitionReading) => at < to || at > thread.positions.get(partition)!
    this.#open = new Set(readings.filter(isOpen))
  }

  /** Place after what was taken. Its time is that of the place at which the reading began: what is left may be as old. */
  get place(): ChangeId {
    const { topicId, time } = this.origin
    const positions = new Map(this.origin.positions)
    for (const { partition, at } of this.#readings) positions.set(partition, at)
    return { topicId, time, positions }
  }

  get isAtEnd(): boolean {
    return this.#open.size === 0
  }

  /**
   * Takes up to `max` keys, each once, and perhaps none.
   * @param fellAt when the changelog has lost records last
   * @returns undefined if there are none yet; `lost` if what has changed cannot be known any more
   */
  take(max: number, fellAt: number): ChangedKey[] | 'lost' | undefined {
    const changed = new Map<string, ChangedKey>()
    let left = examinedMax
    let isMoved = false
    for (const reading of [...this.#open].slice(0, partitionsMax)) {
      for (;;) {
        const part = this.#next(reading, fellAt)
        if (part === 'lost') return 'lost'
        if (part === undefined) break
        isMoved = true
        if (part !== 'reached') left -= this.#takeFrom(part, reading, changed, max, left)
        if (part === 'reached' || reading.at >= reading.to) {
          this.#open.delete(reading)
          break
        }
        if (left <= 0 || changed.size >= max) return [...changed.values()]
      }
    }
    return isMoved ? [...changed.values()] : undefined
  }

  close(): void {
    for (const { thread, wait } of this.#readings) if (wait !== undefined) thread.parts.forget(wait)
  }

  /** Returns the part that has what is next; undefined if it has to be waited for. */
  #next(reading: PartitionReading, fellAt: number): KeptPart | 'reached' | 'lost' | undefined {
    const { thread, partition, at, to, wait } = reading
    if (wait?.state === 'lost') return 'lost'
    if (at === to && wait?.state === 'reached') return 'reached'
    const part = at < to ? thread.parts.find(partition, at, fellAt) : undefined
    if (part !== undefined) {
      if (wait !== undefined) thread.parts.forget(wait)
      reading.wait = undefined
      const isKept = Date.now() < this.origin.time + part.keys.deleteRetentionMs * retentionPart
      return isKept ? part : 'lost'
    }
    if (wait === undefined || wait.state === 'reached') {
      reading.wait = { partition, from: at, to, wake: this.#wake, state: 'waiting' }
      thread.parts.wait(reading.wait)
    }
    return undefined
  }

  /** @returns the number of records that were looked at, or looked for */
  #takeFrom(
    part: KeptPart,
    reading: PartitionReading,
    changed: Map<string, ChangedKey>,
    max: number,
    left: number,
  ): number {
    const { partition, hint } = reading
    const { keys } = this.#filter
    const places = keys && part.placesOf(keys)
    const cursor = new KeysCursor(part.keys, hint?.serial === part.serial ? hint.byte : 0)
    let examined = 0
    for (const end = places?.length ?? Number.POSITIVE_INFINITY; examined < end; examined++) {
      if (places !== undefined) cursor.seek(places[examined]!)
      if (!cursor.next()) break
      const { changelogOffset, sourceOffset: offset, data, keyStart, keyLength } = cursor
      if (changelogOffset < reading.at) continue
      if (changelogOffset >= reading.to) break
      const text = this.#filter.textOf(data, keyStart, keyLength)
      const place = `${partition} ${text}`
      if (examined >= left || (text !== undefined && changed.size >= max && !changed.has(place))) {
        reading.at = changelogOffset
        reading.hint = { serial: part.serial, byte: cursor.start }
        return examined
      }
      if (text === undefined) continue
      const key = new Uint8Array(data.subarray(keyStart, keyStart + keyLength))
      // If the map does not have the key any more, its deletion comes later, or compaction has removed this record.
      changed.set(place, { key, partition, offset, isDeletion: true })
    }
    reading.at = Math.min(part.keys.to, reading.to)
    return examined + (keys?.size ?? 0)
  }
}
