/** The changes of one store thread, as a thread that reads its memory follows them. */
import { isComplete, partitionStateOf } from '../../store-protocol/partition-state.ts'
import type { StatsView } from '../../store-protocol/stats-view.ts'
import type { FromThread, ToThread, Watching } from '../../store-protocol/thread-messages.ts'
import { ChangelogParts } from './changelog-parts.ts'
import { RingCursor } from './ring-cursor.ts'

type RingBeginning = NonNullable<(FromThread & { type: 'watching' })['following']>

export class ThreadChanges {
  /** Reads the keys that change; undefined unless the store thread records them for this thread. */
  cursor: RingCursor | undefined
  /** Reads what followers have not taken. */
  scan: RingCursor | undefined
  /** Id of the changelog; empty if the brokers know no ids. */
  topicId = ''
  /** Position in the ring up to which the changes were taken. */
  at = 0
  /** When they were taken, in ms since the epoch. */
  takenAt = 0
  /** Changelog positions up to which everything was taken then; -1 if unknown. */
  positions = new Map<number, number>()
  /** Partitions of which more was taken than their position says. */
  readonly inexact = new Set<number>()
  /** What the store thread has read of the changelog for followers here. */
  readonly parts: ChangelogParts
  /** Nothing was taken since the store thread has begun to record. */
  hasBegun = false
  readonly #readerThread: number
  readonly #post: (message: ToThread) => void
  #watching: Watching = 'nothing'

  constructor(readerThread: number, post: (message: ToThread) => void) {
    this.#readerThread = readerThread
    this.#post = post
    this.parts = new ChangelogParts((partition, from, to) =>
      post({ type: 'read-keys', readerThread, partition, from, to }),
    )
  }

  /** Asks for messages of publishes, or for no more of them. */
  want(watching: Watching): void {
    if (watching === this.#watching) return
    this.#watching = watching
    if (watching !== 'keys') {
      this.cursor = undefined
      this.parts.clear()
    }
    this.#post({ type: 'watch', readerThread: this.#readerThread, watching })
  }

  /** Takes a message of the store thread. Returns whether a wait or a follower may be concerned. */
  received(message: FromThread): boolean {
    switch (message.type) {
      case 'published':
        if (!message.readerThreads.includes(this.#readerThread)) return false
        this.parts.published()
        return true
      case 'keys':
        if (message.readerThread === this.#readerThread) {
          this.parts.received(message.partition, message.from, message.found)
        }
        return false
      case 'watching':
        if (message.readerThread !== this.#readerThread) return false
        if (message.following !== undefined && this.#watching === 'keys') this.#begin(message.following)
        return true
      case 'state':
      case 'roles':
      case 'fenced':
      case 'halted':
      case 'failed':
      case 'closed':
        return true
      default:
        return false
    }
  }

  /** Notes that everything was taken up to a position. */
  taken(at: number): void {
    this.at = at
    this.takenAt = Date.now()
    this.hasBegun = false
  }

  /** Notes that everything of a partition was taken up to a changelog offset, excluded; -1 if it is not known. */
  reached(partition: number, position: number): void {
    if (position < 0 || position === Infinity) this.inexact.add(partition)
    else {
      this.positions.set(partition, position)
      this.inexact.delete(partition)
    }
  }

  /** A partition has left, or is filled again: up to where it is taken is not known, although it may be back. */
  forget(partition: number): void {
    if (!this.positions.has(partition)) return
    this.positions.set(partition, -1)
    this.inexact.delete(partition)
  }

  /** Finds up to where partitions are visible that are complete and have no position. What comes later is in the ring. */
  findPositions(stats: StatsView): void {
    for (const [partition, position] of this.positions) {
      if (position >= 0 || !stats.holds(partition) || !isComplete(partitionStateOf(stats, partition))) continue
      this.positions.set(partition, stats.gauge(partition, 'visibleChangelog'))
    }
  }

  #begin({ ring, at, positions, inexact, topicId }: RingBeginning): void {
    this.cursor = new RingCursor(ring)
    this.scan = new RingCursor(ring)
    this.topicId = topicId
    this.at = at
    this.takenAt = Date.now()
    this.hasBegun = true
    this.positions = new Map(ring.partitions.map((partition, row) => [partition, positions[row]!]))
    this.inexact.clear()
    for (const partition of inexact) this.inexact.add(partition)
  }
}
