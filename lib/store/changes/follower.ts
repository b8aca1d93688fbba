/**
 * Follows the changes of a store: the ring says which keys have changed, the map what they have now. So a slow follower
 * skips values in between, no key goes back, and nothing is kept for it. It may begin with a listing. Changes are taken
 * between the portions of a listing, so that the ring does not pass it.
 */
import { isInstance, LatchkeyError } from '../../errors.ts'
import type { ChangeId } from '../../store-protocol/change-id.ts'
import type { ChangeBatch, ChangeEvent, Following, FollowOptions } from '../../store-protocol/following.ts'
import type { StoreReads } from '../../store-protocol/reads.ts'
import type { PartitionState } from '../../store-protocol/status.ts'
import { type ChangedKey, ChangeScan } from './change-scan.ts'
import type { Followers } from './followers.ts'
import { Listing } from './listing.ts'
import type { ThreadChanges } from './thread-changes.ts'

/** Where changes are resumed. */
export type Resumed = 'ring' | 'reset'

const keysMax = 256
const valueBytesMax = 1 << 20

export class Follower implements Following {
  readonly options: FollowOptions
  /** How it continues after the place that it was given; undefined if it was given none. */
  readonly resumed: Resumed | undefined
  readonly #reads: StoreReads
  readonly #followers: Followers
  readonly #scan: ChangeScan
  readonly #ready: () => void
  readonly #states = new Map<number, PartitionState>()
  /** Keys that were taken from the ring, and whose values did not fit. */
  #left: readonly ChangedKey[] = []
  #listing: Listing | undefined
  /** `complete`: when the partitions show everything again. */
  #resetDue: 'now' | 'complete' | undefined
  #generation: number

  /** @param ready called when next() may have something, also while a call of it is under way */
  constructor(reads: StoreReads, followers: Followers, options: FollowOptions, ready: () => void) {
    const { from } = options
    this.options = options
    this.#reads = reads
    this.#followers = followers
    this.#ready = ready
    this.#scan = new ChangeScan(options)
    this.#generation = followers.generation
    const isResumed = typeof from === 'object' && followers.knows(from) && this.#scan.resume(followers.threads, from)
    this.resumed = typeof from === 'object' ? (isResumed ? 'ring' : 'reset') : undefined
    this.#resetDue = from === 'start' || this.resumed === 'reset' ? 'now' : undefined
    for (const [partition, state] of followers.states) this.#states.set(partition, state)
  }

  /** Place at which the follower is; undefined if there is something to take. */
  get place(): ChangeId | undefined {
    const isBehind =
      this.#resetDue !== undefined || this.#listing !== undefined || this.#left.length > 0 || !this.#scan.isAtEnd
    return isBehind || this.#generation !== this.#followers.generation ? undefined : this.#followers.place(this.options)
  }

  /** A change at a position of a ring concerns the follower. */
  touch(thread: ThreadChanges, position: number): void {
    this.#scan.touch(thread, position)
  }

  wake(): void {
    this.#ready()
  }

  /**
   * Returns what comes next, perhaps no events; undefined if there is nothing now. One call at a time.
   * @returns rejects with LatchkeyError if the store does not serve any more
   */
  async next(): Promise<ChangeBatch | undefined> {
    const states = this.#changedStates()
    if (states.length > 0) return { events: states, place: undefined }
    if (this.#generation !== this.#followers.generation) {
      this.#generation = this.#followers.generation
      this.#resetDue = 'complete'
    }
    // Nothing is shown until then: keys that are deleted now may be put again.
    if (this.#resetDue === 'now') return this.#reset()
    if (this.#resetDue === 'complete') {
      return this.#followers.isComplete(this.options.partition) ? this.#reset() : undefined
    }
    const isIdle = this.#left.length === 0 && this.#scan.isAtEnd && this.#listing === undefined
    if (isIdle) return undefined
    const events = await this.#takeChanges()
    if (events === undefined) {
      this.#resetDue = 'now'
      return { events: [], place: undefined }
    }
    // A change that was not taken may be older than what a listing shows of its key.
    const hasMore = this.#left.length > 0 || !this.#scan.isAtEnd
    const listed = hasMore ? [] : await this.#list()
    return { events: [...events, ...listed], place: this.place }
  }

  close(): void {
    this.#followers.remove(this)
  }

  #reset(): ChangeBatch {
    this.#resetDue = undefined
    this.#left = []
    // What changes from here on is in the ring, whether or not the listing has it.
    this.#scan.begin()
    this.#listing = new Listing(this.#reads, this.options, this.options.withValues)
    return { events: [{ type: 'reset' }], place: 'start' }
  }

  async #list(): Promise<ChangeEvent[]> {
    const entries = await this.#listing?.next()
    if (entries === undefined) this.#listing = undefined
    return entries?.map((entry) => ({ type: 'put', entry })) ?? []
  }

  /** @returns undefined if the ring has passed the follower */
  async #takeChanges(): Promise<ChangeEvent[] | undefined> {
    const changed = this.#left.length > 0 ? this.#left : this.#scan.take(keysMax)
    if (changed === undefined) return undefined
    if (changed.length === 0) return []
    const { results } = await this.#followers.reads.getMany(
      changed.map(({ key }) => key),
      valueBytesMax,
    )
    this.#left = []
    const events: ChangeEvent[] = []
    for (const [index, change] of changed.entries()) {
      const result = results[index]
      if (isInstance(result, LatchkeyError)) {
        if (result.code === 'answer_full') {
          this.#left = changed.slice(index)
          break
        }
        // The partition is not complete. A reset follows when it is.
      } else if (result !== undefined) events.push({ type: 'put', entry: { ...result, key: change.key } })
      // If the change was no deletion, one that came later is visible already, and is in the ring after it.
      else if (change.isDeletion) {
        events.push({ type: 'delete', key: change.key, partition: change.partition, offset: change.offset })
      }
    }
    return events
  }

  #changedStates(): ChangeEvent[] {
    const events: ChangeEvent[] = []
    for (const [partition, state] of this.#followers.states) {
      if (this.#states.get(partition) === state) continue
      this.#states.set(partition, state)
      if (this.options.partition === undefined || this.options.partition === partition) {
        events.push({ type: 'status', partition, state })
      }
    }
    return events
  }
}
