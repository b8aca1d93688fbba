/**
 * Follows the changes of a store: the ring says which keys have changed, the map what they have now. So a slow follower
 * skips values in between, no key goes back, and nothing is kept for it. What is not in the ring any more is looked up in
 * the changelog. A follower may begin with a listing; changes are taken between the portions of it.
 */
import { isInstance, LatchkeyError } from '../../errors.ts'
import { noteKeptGarbage } from '../../map/index.ts'
import type { ChangeId } from '../../store-protocol/change-id.ts'
import type { ChangeBatch, ChangeEvent, Following, FollowOptions, Resumed } from '../../store-protocol/following.ts'
import type { StoreReads } from '../../store-protocol/reads.ts'
import { type ChangedKey, ChangeScan } from './change-scan.ts'
import type { Followers, Touchable } from './followers.ts'
import { FollowedKeyFilter } from './key-filter.ts'
import { Listing } from './listing.ts'
import { MissedChanges } from './missed-changes.ts'
import type { ThreadChanges } from './thread-changes.ts'

const keysMax = 256
const valueBytesMax = 1 << 20
/** Approximate memory of an event and of what is rendered of it, without its value. */
const eventBytes = 1 << 10

export class Follower implements Following, Touchable {
  readonly filter: FollowedKeyFilter
  readonly #withValues: boolean
  readonly #reads: StoreReads
  readonly #followers: Followers
  readonly #scan: ChangeScan
  readonly #ready: () => void
  /** Reads the changelog. What it has to take comes before what the scan has. */
  #missed: MissedChanges | undefined
  /** A place before everything that was not taken; undefined if everything was. */
  #since: ChangeId | undefined
  #resumed: Resumed | undefined
  /** Place that is continued when the partitions show everything. */
  #awaiting: ChangeId | undefined
  #states: Followers['states']
  /** Keys that were taken, and whose values are not returned yet. */
  #left: readonly ChangedKey[] = []
  #listing: Listing | undefined
  /** `complete`: when the partitions show everything again. */
  #resetDue: 'now' | 'complete' | undefined

  /** @param ready called when next() may have something, also while a call of it is under way */
  constructor(reads: StoreReads, followers: Followers, options: FollowOptions, ready: () => void) {
    const { from, withValues } = options
    this.#withValues = withValues
    this.#reads = reads
    this.#followers = followers
    this.#ready = ready
    this.filter = new FollowedKeyFilter(options)
    this.#scan = new ChangeScan(this.filter)
    this.#states = followers.states
    if (from === 'start') this.#resetDue = 'now'
    if (typeof from !== 'object') return
    // A copy that is still filled may not have reached the place.
    this.#resumed = 'changelog'
    this.#awaiting = from
    if (followers.isComplete(this.filter)) this.#resume(from)
  }

  get resumed(): Resumed | undefined {
    return this.#resumed
  }

  get place(): ChangeId | undefined {
    if (this.#awaiting !== undefined) return undefined
    const isBehind = this.#resetDue !== undefined || this.#listing !== undefined || this.#left.length > 0
    if (isBehind) return undefined
    if (this.#missed !== undefined) return this.#missed.place
    return this.#scan.isAtEnd ? this.#followers.place(this.filter) : undefined
  }

  touch(thread: ThreadChanges, position: number): void {
    this.#scan.touch(thread, position)
    this.#since ??= this.#followers.before
  }

  /** Nothing is shown until the partitions show everything: keys that are deleted now may be put again. */
  beginAgain(): void {
    // A place that waits for that is continued then.
    if (this.#awaiting === undefined) this.#resetDue = 'complete'
  }

  wake(): void {
    this.#ready()
  }

  async next(): Promise<ChangeBatch | undefined> {
    this.#followers.requireServing()
    const states = this.#changedStates()
    if (states.length > 0) return { events: states, place: undefined }
    if (this.#awaiting !== undefined) {
      if (!this.#followers.isComplete(this.filter)) return undefined
      this.#resume(this.#awaiting)
    }
    if (this.#resetDue === 'now') return this.#reset()
    if (this.#resetDue === 'complete') {
      return this.#followers.isComplete(this.filter) ? this.#reset() : undefined
    }
    const isIdle = !this.#hasChanges && this.#listing === undefined
    if (isIdle) return undefined
    const changed = this.#left.length > 0 ? this.#left : this.#takeKeys()
    if (changed === undefined) return undefined
    if (changed === 'lost') {
      if (this.#resumed === 'changelog') this.#resumed = 'reset'
      this.#resetDue = 'now'
      return { events: [], place: undefined }
    }
    const events = await this.#valuesOf(changed)
    // A change that was not taken may be older than what a listing shows of its key.
    const listed = this.#hasChanges ? [] : await this.#list()
    const all = [...events, ...listed]
    noteKeptGarbage(memoryOf(all))
    return { events: all, place: this.place }
  }

  close(): void {
    this.#missed?.close()
    this.#followers.remove(this)
  }

  get #hasChanges(): boolean {
    return this.#left.length > 0 || this.#missed !== undefined || !this.#scan.isAtEnd
  }

  #resume(from: ChangeId): void {
    this.#awaiting = undefined
    this.#resumed = this.#resumedAt(from)
    if (this.#resumed === 'reset') this.#resetDue = 'now'
  }

  #resumedAt(from: ChangeId): Resumed {
    if (!this.#followers.knows(from)) return 'reset'
    const left = this.#scan.resume(this.#followers.threads, from)
    this.#since = from
    return left.length === 0 ? 'ring' : this.#readChangelog(from, left)
  }

  /** Reads what has changed since a place. @returns `reset` if that cannot be known */
  #readChangelog(since: ChangeId, threads: readonly ThreadChanges[]): Resumed {
    this.#missed?.close()
    this.#missed = MissedChanges.from(since, threads, this.filter, this.#ready)
    if (this.#missed?.isAtEnd) this.#missed = undefined
    else if (this.#missed === undefined) return 'reset'
    return 'changelog'
  }

  #reset(): ChangeBatch {
    this.#resetDue = undefined
    this.#left = []
    this.#missed?.close()
    this.#missed = undefined
    // What changes from here on is in the ring, whether or not the listing has it.
    this.#scan.begin()
    this.#since = undefined
    this.#listing = new Listing(this.#reads, this.filter, this.#withValues)
    return { events: [{ type: 'reset' }], place: 'start' }
  }

  async #list(): Promise<ChangeEvent[]> {
    const entries = await this.#listing?.next()
    if (entries === undefined) this.#listing = undefined
    return entries?.map((entry) => ({ type: 'put', entry })) ?? []
  }

  /** @returns undefined if there are none yet, `lost` if what has changed cannot be known any more */
  #takeKeys(): readonly ChangedKey[] | 'lost' | undefined {
    if (this.#missed !== undefined) return this.#takeFromChangelog(this.#missed)
    const changed = this.#scan.take(keysMax)
    if (changed !== undefined) {
      if (this.#scan.isAtEnd) this.#since = undefined
      return changed
    }
    const since = this.#since
    this.#scan.begin()
    if (since === undefined || !this.#followers.knows(since)) return 'lost'
    return this.#readChangelog(since, this.#followers.threads) === 'reset' ? 'lost' : []
  }

  #takeFromChangelog(missed: MissedChanges): readonly ChangedKey[] | 'lost' | undefined {
    const { fellAt } = this.#followers
    const changed = this.#followers.knows(missed.origin) ? missed.take(keysMax, fellAt) : 'lost'
    if (changed !== 'lost' && !missed.isAtEnd) return changed
    this.#since = this.#scan.isAtEnd ? undefined : missed.place
    missed.close()
    this.#missed = undefined
    return changed
  }

  async #valuesOf(changed: readonly ChangedKey[]): Promise<ChangeEvent[]> {
    if (changed.length === 0) return []
    this.#left = changed
    const keys = changed.map(({ key }) => key)
    const { results } = await this.#followers.reads.getMany(keys, valueBytesMax)
    this.#left = []
    const events: ChangeEvent[] = []
    for (const [index, change] of changed.entries()) {
      const { key, partition } = change
      const result = results[index]
      if (isInstance(result, LatchkeyError)) {
        if (result.code === 'answer_full') {
          this.#left = changed.slice(index)
          break
        }
        // The partition is not complete. A reset follows when it is.
      } else if (result !== undefined && this.filter.wantsPartition(result.partition)) {
        events.push({ type: 'put', entry: { ...result, key } })
      }
      // If the change was no deletion, one that came later is visible already, and is in the ring after it.
      else if (change.isDeletion) events.push({ type: 'delete', key, partition, offset: change.offset })
    }
    return events
  }

  #changedStates(): ChangeEvent[] {
    const { states } = this.#followers
    if (states === this.#states) return []
    const former = this.#states
    this.#states = states
    const changed = [...states].filter(([partition, state]) => former.get(partition) !== state)
    return changed
      .filter(([partition]) => this.filter.wantsPartition(partition))
      .map(([partition, state]) => ({ type: 'status', partition, state }))
  }
}

/** The value counts twice: it is rendered, too. */
function memoryOf(events: readonly ChangeEvent[]): number {
  let bytes = events.length * eventBytes
  for (const event of events) if (event.type === 'put') bytes += 2 * event.entry.value.length
  return bytes
}
