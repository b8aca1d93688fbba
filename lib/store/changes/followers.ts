/**
 * The followers of a store in one thread. A publish is read once: each of its changes touches the followers that it
 * concerns, who then read the ring from there.
 */
import { LatchkeyError } from '../../errors.ts'
import type { ChangeId } from '../../store-protocol/change-id.ts'
import { isComplete } from '../../store-protocol/partition-state.ts'
import type { StoreReads } from '../../store-protocol/reads.ts'
import type { StatsView } from '../../store-protocol/stats-view.ts'
import type { PartitionState } from '../../store-protocol/status.ts'
import { FollowedKeyFilter, latin1 } from './key-filter.ts'
import { type KeyWait, KeyWaits } from './key-waits.ts'
import { PartitionStates } from './partition-states.ts'
import { PrefixIndex } from './prefix-index.ts'
import type { RingCursor } from './ring-cursor.ts'
import { SharedReads } from './shared-reads.ts'
import type { ThreadChanges } from './thread-changes.ts'

/** Distinct pairs of prefix and partition in one thread: each publish may concern all of them. */
const groupsMax = 1_000
/** How long before a loss of the changelog a place may have been named by a clock that is ahead of ours. */
const clockSlackMs = 60_000
const everything = new FollowedKeyFilter({})

/** A follower, as the changes of a publish reach it. */
export interface Touchable {
  readonly filter: FollowedKeyFilter
  /** A change at a position of a ring concerns it. */
  touch(thread: ThreadChanges, position: number): void
  /** A change that concerns it is in no ring. */
  beginAgain(): void
  /** There may be something to take. */
  wake(): void
}

/** Followers of one prefix, in the same partitions. */
interface Group {
  readonly name: string
  readonly filter: FollowedKeyFilter
  readonly followers: Set<Touchable>
  /** Number of the publish that has touched them last. */
  touchedIn: number
}

export interface FollowersSource {
  readonly reads: Pick<StoreReads, 'getMany'>
  /** @throws LatchkeyError what a lookup throws */
  requireServing(): void
  stats(): StatsView
  /** Store threads whose partitions are followed. */
  threads(): readonly ThreadChanges[]
  removed(): void
}

export class Followers {
  readonly reads: SharedReads
  /** Place before the publish that was read last; undefined before the first one. */
  before: ChangeId | undefined
  readonly #source: FollowersSource
  readonly #groups = new Map<string, Group>()
  /** Of the groups; made when a change is looked up. */
  #byPrefix: PrefixIndex<Group> | undefined
  readonly #keys = new KeyWaits<Touchable>()
  /** Each with its group, or with its keys. */
  readonly #all = new Map<Touchable, Group | readonly KeyWait<Touchable>[]>()
  readonly #touched = new Set<Touchable>()
  readonly #concerned = new Set<Touchable>()
  /** By name of their partitions. */
  readonly #places = new Map<string, ChangeId>()
  readonly #states = new PartitionStates()
  #publishes = 0

  constructor(source: FollowersSource) {
    this.#source = source
    this.reads = new SharedReads(source.reads)
  }

  get size(): number {
    return this.#all.size
  }

  get states(): ReadonlyMap<number, PartitionState> {
    return this.#states.all
  }

  get threads(): readonly ThreadChanges[] {
    return this.#source.threads()
  }

  /** @throws LatchkeyError waits_exhausted */
  add(follower: Touchable): void {
    const { listed } = follower.filter
    this.#all.set(follower, listed?.map((key) => this.#keys.add(key, follower)) ?? this.#join(follower))
  }

  remove(follower: Touchable): void {
    const joined = this.#all.get(follower)
    this.#all.delete(follower)
    if (joined !== undefined && 'followers' in joined) this.#leave(joined, follower)
    else for (const wait of joined ?? []) this.#keys.remove(wait)
    this.#source.removed()
  }

  /** When the changelog has lost records last, in ms since the epoch. */
  get fellAt(): number {
    return this.#source.stats().count('changelogFellAt')
  }

  /** Whether a place is one of this changelog, and of before anything was lost from it. */
  knows({ topicId, time }: ChangeId): boolean {
    const { fellAt } = this
    const isSame = topicId !== '' && this.threads.every((thread) => thread.topicId === topicId)
    return isSame && (fellAt === 0 || time > fellAt + clockSlackMs)
  }

  /** @throws LatchkeyError what a lookup throws */
  requireServing(): void {
    this.#source.requireServing()
  }

  /**
   * Place after everything that was read. Its time is a moment at which nothing else was visible: now, or the last
   * publish if something waits for the next one.
   */
  place(filter: FollowedKeyFilter): ChangeId {
    const known = this.#places.get(filter.partitionsName)
    if (known !== undefined) return known
    const isWaiting = this.#source.stats().count('oplogLength') > 0
    const time = isWaiting ? Math.min(...this.threads.map(({ takenAt }) => takenAt)) : Date.now()
    const all = this.threads.flatMap(({ positions }) => [...positions])
    const positions = new Map(all.filter(([partition, at]) => at >= 0 && filter.wantsPartition(partition)))
    const place = { topicId: this.threads[0]?.topicId ?? '', time, positions }
    this.#places.set(filter.partitionsName, place)
    return place
  }

  /** Whether the partitions of a filter that are held show everything that they have. */
  isComplete(filter: FollowedKeyFilter): boolean {
    for (const [partition, state] of this.states) {
      if (filter.wantsPartition(partition) && !isComplete(state)) return false
    }
    return true
  }

  /** To be called before the changes of a publish are read. */
  began(): void {
    if (this.#all.size > 0) this.before = this.place(everything)
    this.#publishes++
    this.reads.forget()
    this.#places.clear()
  }

  /** Notes the change at which the cursor is. */
  changed(thread: ThreadChanges, cursor: RingCursor): void {
    const { partition, changelogOffset, data, keyStart, keyLength, start } = cursor
    thread.reached(partition, changelogOffset < 0 ? -1 : changelogOffset + 1)
    if (cursor.isOmitted) return this.missed(thread, start)
    this.#byPrefix ??= new PrefixIndex(this.#groups.values(), ({ filter }) => filter.prefix)
    for (let entry = this.#byPrefix.find(data, keyStart, keyLength); entry !== undefined; entry = entry.parent) {
      for (const group of entry.values) {
        if (group.touchedIn === this.#publishes) continue
        if (!group.filter.wantsPartition(partition)) continue
        group.touchedIn = this.#publishes
        for (const follower of group.followers) this.#touch(follower, thread, start)
      }
    }
    if (this.#keys.size === 0) return
    this.#keys.collect(data, keyStart, keyLength, this.#concerned)
    for (const follower of this.#concerned) this.#touch(follower, thread, start)
    this.#concerned.clear()
  }

  /** Notes that the ring does not have what is at a position: each follower looks for it in the changelog. */
  missed(thread: ThreadChanges, position: number): void {
    for (const follower of this.#all.keys()) this.#touch(follower, thread, position)
  }

  /** To be called when the changes of a publish were read. @param begun the thread, if its changes before are in no ring */
  ended(begun: ThreadChanges | undefined): void {
    if (begun !== undefined) this.#beginAgain(new Set(begun.positions.keys()))
    this.check()
    for (const follower of this.#touched) follower.wake()
    this.#touched.clear()
  }

  /** Looks at the states of the partitions. */
  check(): void {
    // A place is not good for longer than the changelog keeps tombstones, so its time is kept current.
    this.#places.clear()
    const stats = this.#source.stats()
    const begun = this.#states.look(stats)
    if (begun !== undefined) {
      for (const thread of this.threads) for (const partition of begun) thread.forget(partition)
      this.#beginAgain(begun)
      for (const follower of this.#all.keys()) follower.wake()
    }
    for (const thread of this.threads) thread.findPositions(stats)
  }

  /** Ends all: the store stops. Their next() rejects. */
  wakeAll(): void {
    for (const follower of this.#all.keys()) {
      follower.beginAgain()
      follower.wake()
    }
  }

  #beginAgain(partitions: ReadonlySet<number>): void {
    if (partitions.size === 0) return
    for (const follower of this.#all.keys()) {
      const { partitions: wanted } = follower.filter
      if (wanted !== undefined && wanted.isDisjointFrom(partitions)) continue
      follower.beginAgain()
      follower.wake()
    }
  }

  #touch(follower: Touchable, thread: ThreadChanges, start: number): void {
    follower.touch(thread, start)
    this.#touched.add(follower)
  }

  #join(follower: Touchable): Group {
    const { filter } = follower
    const name = `${filter.partitionsName} ${latin1(filter.prefix)}`
    const group = this.#groups.get(name) ?? { name, filter, followers: new Set(), touchedIn: 0 }
    if (!this.#groups.has(name) && this.#groups.size >= groupsMax) {
      const found = `${groupsMax} other prefixes are followed already. Follow fewer prefixes, or keys`
      throw new LatchkeyError('waits_exhausted', `Following changes: ${found}`)
    }
    if (group.followers.size === 0) this.#byPrefix = undefined
    this.#groups.set(name, group)
    group.followers.add(follower)
    return group
  }

  #leave(group: Group, follower: Touchable): void {
    group.followers.delete(follower)
    if (group.followers.size > 0) return
    this.#groups.delete(group.name)
    this.#byPrefix = undefined
  }
}
