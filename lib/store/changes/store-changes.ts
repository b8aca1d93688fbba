/**
 * Waits for changes of a store, in a thread that reads it. Store threads send a message after a publish only while
 * a client waits here. A publish ends the waits that it concerns; nothing is polled, and no reader is held.
 */
import { isInstance, LatchkeyError } from '../../errors.ts'
import type { FollowOptions } from '../../store-protocol/following.ts'
import type { StoreReads } from '../../store-protocol/reads.ts'
import type { StatsView } from '../../store-protocol/stats-view.ts'
import type { StoreState } from '../../store-protocol/status.ts'
import type { Watching } from '../../store-protocol/thread-messages.ts'
import { Follower } from './follower.ts'
import { Followers, type Touchable } from './followers.ts'
import { KeyWaits } from './key-waits.ts'
import { KeyWatch } from './key-watch.ts'
import { readPublish } from './publish-reading.ts'
import type { ThreadChanges } from './thread-changes.ts'
import { Visibility } from './visibility.ts'

/** Waits at a time, in one thread. */
const waitsMax = 20_000
/** Time for which messages are still requested after the last wait: often another one follows. */
const lingerMs = 10_000
const statesMs = 1_000

export interface ChangingThread {
  readonly state: StoreState
  readonly changes: ThreadChanges
}

/** The store threads of a store. */
export interface ChangingThreads {
  readonly all: readonly ChangingThread[]
  readonly stats: StatsView
  readonly assignment: { readonly partitionCount: number }
  /** Why nothing more is read; undefined while there is room in memory. */
  readonly full: string | undefined
}

export interface ChangeSource {
  readonly reads: StoreReads & { readonly id: string }
  threads(): ChangingThreads
  state(): StoreState
  /** @throws LatchkeyError what a lookup throws */
  requireServing(): void
}

export class StoreChanges {
  readonly #source: ChangeSource
  readonly #keys = new KeyWaits<() => void>()
  readonly #visibility: Visibility
  readonly #followers: Followers
  /** Followers that begin. */
  #opened = 0
  #opening: PromiseWithResolvers<void> | undefined
  #linger: Timer | undefined
  /** Looks at the states of partitions, which change without a message. */
  #states: Timer | undefined
  #wanted: Watching = 'nothing'
  #assignment: ChangingThreads['assignment'] | undefined

  constructor(source: ChangeSource) {
    this.#source = source
    const stats = () => source.threads().stats
    const changed = () => this.#request()
    const requireServing = () => source.requireServing()
    const removed = () => this.#request()
    const threads = () => this.#following
    this.#followers = new Followers({ reads: source.reads, stats, requireServing, threads, removed })
    this.#visibility = new Visibility({
      id: source.reads.id,
      stats,
      partitionCount: () => source.threads().assignment.partitionCount,
      state: () => source.state(),
      full: () => source.threads().full,
      requireServing,
      checkRoom: () => this.#checkRoom(),
      changed,
    })
  }

  /** Number of waits. */
  get waiting(): number {
    return this.#keys.size + this.#visibility.waiting
  }

  /** Number of followers. */
  get following(): number {
    return this.#followers.size
  }

  /** See Visibility.isVisible(). */
  isVisible(offsets: ReadonlyMap<number, number>): boolean {
    return this.#visibility.isVisible(offsets)
  }

  /** See Visibility.waitFor(). */
  waitFor(offsets: ReadonlyMap<number, number>, over: Promise<void>): Promise<void> {
    return this.#visibility.waitFor(offsets, over)
  }

  /**
   * Calls `changed` after each publish that changes a key, and when the store stops. It may be called without a change.
   * @returns a function that ends that
   * @throws LatchkeyError waits_exhausted
   */
  onChange(key: Uint8Array, changed: () => void): () => void {
    this.#checkRoom()
    if (this.#keys.size === 0) this.#assignment = this.#source.threads().assignment
    const wait = this.#keys.add(key, changed)
    this.#request()
    return () => {
      this.#keys.remove(wait)
      this.#request()
    }
  }

  /** To be called after a message of a store thread that may concern a wait. */
  received({ changes }: ChangingThread): void {
    this.#request()
    this.#visibility.check()
    const { assignment } = this.#source.threads()
    // A key may be in a partition that has left, or that has come.
    if (assignment !== this.#assignment) for (const changed of this.#keys.all()) changed()
    this.#assignment = assignment
    this.#take(changes)
  }

  /**
   * Follows changes. The follower is to be closed.
   * @param ready called when its next() may have something
   * @returns rejects with LatchkeyError: waits_exhausted, and what a lookup throws while the store does not serve
   */
  async follow(options: FollowOptions, ready: () => void): Promise<Follower> {
    this.#source.requireServing()
    for (const partition of options.partitions ?? []) this.#visibility.checkPartition(partition, 'Following')
    return this.#begin(() => new Follower(this.#source.reads, this.#followers, options, ready))
  }

  /** The store will serve, and does not yet. */
  get isRecovering(): boolean {
    try {
      this.#source.requireServing()
      return false
    } catch (thrown) {
      return isInstance(thrown, LatchkeyError) && thrown.code === 'recovering'
    }
  }

  /**
   * Watches which keys change from now on, or from when the store serves if it recovers. The watch is to be closed.
   * @param ready called when its take() may return something
   * @returns rejects as follow() does, except while the store recovers
   */
  async watchKeys(ready: () => void): Promise<KeyWatch> {
    while (this.isRecovering) await this.#nextMessage()
    this.#source.requireServing()
    return this.#begin(() => new KeyWatch(this.#followers, ready))
  }

  async #begin<Begun extends Touchable>(create: () => Begun): Promise<Begun> {
    this.#checkRoom()
    this.#opened++
    try {
      this.#request()
      while (this.#following.some(({ cursor }) => cursor === undefined)) {
        await this.#nextMessage()
        this.#source.requireServing()
      }
      // What this thread has not read yet belongs to the place at which the follower begins.
      for (const changes of this.#following) this.#take(changes)
      this.#followers.check()
      const follower = create()
      this.#followers.add(follower)
      return follower
    } finally {
      this.#opened--
      this.#request()
    }
  }

  /** To be called when the store stops or has failed. */
  stopped(): void {
    this.#reopen()
    this.#followers.wakeAll()
    for (const changed of this.#keys.all()) changed()
  }

  /** The threads whose changes are followed. */
  get #following(): readonly ThreadChanges[] {
    return this.#source
      .threads()
      .all.filter(({ state }) => state === 'running')
      .map(({ changes }) => changes)
  }

  #checkRoom(): void {
    const waiting = this.waiting + this.#followers.size + this.#opened
    if (waiting < waitsMax) return
    const found = `${waiting} requests already wait or follow. Retry later`
    throw new LatchkeyError('waits_exhausted', `Waiting for store ${this.#source.reads.id}: ${found}`)
  }

  /** Takes what a thread has published, and wakes those whom it concerns. */
  #take(changes: ThreadChanges): void {
    const woken = readPublish(changes, this.#followers, this.#keys)
    for (const changed of woken) changed()
    this.#reopen()
  }

  /** Resolves when a store thread has said something that those may wait for who are about to follow. */
  #nextMessage(): Promise<void> {
    this.#opening ??= Promise.withResolvers()
    return this.#opening.promise
  }

  /** Those that are about to follow look again. What one of them waits for next, none of the others may end. */
  #reopen(): void {
    this.#opening?.resolve()
    this.#opening = undefined
  }

  /** Asks the store threads for the messages that the waits need. */
  #request(): void {
    if (this.#followers.size === 0) {
      clearInterval(this.#states)
      this.#states = undefined
    } else if (this.#states === undefined) {
      this.#states = setInterval(() => this.#followers.check(), statesMs)
      this.#states.unref()
    }
    const isFollowed = this.#followers.size + this.#opened + this.#keys.size > 0
    if (isFollowed || this.waiting > 0) {
      clearTimeout(this.#linger)
      this.#linger = undefined
      this.#want(isFollowed ? 'keys' : 'positions')
    } else if (this.#wanted !== 'nothing' && this.#linger === undefined) {
      this.#linger = setTimeout(() => this.#want('nothing'), lingerMs)
      this.#linger.unref()
    }
  }

  /** While it lingers, a thread that has sent the keys goes on to do so. */
  #want(watching: Watching): void {
    if (watching === 'positions' && this.#wanted === 'keys') return
    this.#wanted = watching
    for (const { state, changes } of this.#source.threads().all) if (state === 'running') changes.want(watching)
  }
}
