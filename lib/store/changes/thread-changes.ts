/** The changes of one store thread, as a thread that reads its memory follows them. */
import type { FromThread, ToThread, Watching } from '../../store-protocol/thread-messages.ts'
import { RingCursor } from './ring-cursor.ts'

export class ThreadChanges {
  /** Reads the keys that change; undefined unless the store thread records them for this thread. */
  cursor: RingCursor | undefined
  /** Reads what followers have not taken. */
  scan: RingCursor | undefined
  /** Id of the changelog; empty if the brokers know no ids. */
  topicId = ''
  /** Position in the ring up to which the changes were taken. */
  at = 0
  /** Number of changes, up to then, that are in no ring. */
  omitted = 0
  /** Changelog positions of the partitions at that position, or below. */
  positions = new Map<number, number>()
  /** Nothing was taken since the store thread has begun to record. */
  hasBegun = false
  readonly #readerThread: number
  readonly #post: (message: ToThread) => void
  #watching: Watching = 'nothing'

  constructor(readerThread: number, post: (message: ToThread) => void) {
    this.#readerThread = readerThread
    this.#post = post
  }

  /** Asks for messages of publishes, or for no more of them. */
  want(watching: Watching): void {
    if (watching === this.#watching) return
    this.#watching = watching
    if (watching !== 'keys') this.cursor = undefined
    this.#post({ type: 'watch', readerThread: this.#readerThread, watching })
  }

  /** Takes a message of the store thread. Returns whether a wait or a follower may be concerned. */
  received(message: FromThread): boolean {
    switch (message.type) {
      case 'published':
        return message.readerThreads.includes(this.#readerThread)
      case 'watching':
        if (message.readerThread !== this.#readerThread) return false
        if (message.following !== undefined && this.#watching === 'keys') this.#begin(message.following)
        return true
      case 'state':
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
    this.omitted = this.cursor!.omitted
    this.hasBegun = false
  }

  #begin({ ring, positions, topicId }: NonNullable<(FromThread & { type: 'watching' })['following']>): void {
    this.cursor = new RingCursor(ring)
    this.scan = new RingCursor(ring)
    this.topicId = topicId
    this.omitted = this.cursor.omitted
    this.at = this.cursor.published
    this.hasBegun = true
    this.positions = new Map(ring.partitions.map((partition, row) => [partition, positions[row]!]))
  }
}
