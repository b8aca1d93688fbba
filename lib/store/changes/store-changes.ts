/**
 * Waits for changes of a store, in a thread that reads it. Store threads send a message after a publish only while
 * a client waits here. A publish ends the waits that it concerns; nothing is polled, and no reader is held.
 */
import { LatchkeyError } from '../../errors.ts'
import { partitionStateOf } from '../../store-protocol/partition-state.ts'
import type { StatsView } from '../../store-protocol/stats-view.ts'
import type { StoreState } from '../../store-protocol/status.ts'
import type { Watching } from '../../store-protocol/thread-messages.ts'
import { KeyWaits } from './key-waits.ts'
import { type OffsetWait, OffsetWaits } from './offset-waits.ts'
import type { ThreadChanges } from './thread-changes.ts'

/** Waits at a time, in one thread. */
const waitsMax = 20_000
/** Time for which messages are still requested after the last wait: often another one follows. */
const lingerMs = 10_000

export interface ChangingThread {
  readonly state: StoreState
  readonly changes: ThreadChanges
}

/** The store threads of a store. */
export interface ChangingThreads {
  readonly all: readonly ChangingThread[]
  readonly stats: StatsView
  readonly assignment: { readonly partitionCount: number }
}

export interface ChangeSource {
  readonly id: string
  threads(): ChangingThreads
  state(): StoreState
  /** @throws LatchkeyError what a lookup throws */
  requireServing(): void
}

export class StoreChanges {
  readonly #source: ChangeSource
  readonly #keys = new KeyWaits()
  readonly #offsets = new OffsetWaits()
  #linger: Timer | undefined
  #wanted: Watching = 'nothing'

  constructor(source: ChangeSource) {
    this.#source = source
  }

  /** Number of waits. */
  get waiting(): number {
    return this.#keys.size + this.#offsets.size
  }

  /**
   * Returns whether source records are visible here.
   * @param offsets by partition
   * @throws LatchkeyError invalid_parameter, partition_not_held, and what a lookup throws while the store does not serve
   */
  isVisible(offsets: ReadonlyMap<number, number>): boolean {
    this.#source.requireServing()
    for (const partition of offsets.keys()) this.#checkPartition(partition)
    for (const [partition, offset] of offsets) if (this.#visible(partition) <= offset) return false
    return true
  }

  /**
   * Waits until source records are visible here.
   * @param over ends the wait when it resolves
   * @returns rejects with LatchkeyError: not_yet_visible, waits_exhausted, stopping, store_failed
   */
  async waitFor(offsets: ReadonlyMap<number, number>, over: Promise<void>): Promise<void> {
    if (this.isVisible(offsets)) return
    const waits: OffsetWait[] = []
    try {
      const all = [...offsets].map(([partition, offset]) => this.#untilVisible(partition, offset, waits))
      const isOver = over.then(() => {
        throw this.#notYetVisible(offsets)
      })
      await Promise.race([Promise.all(all), isOver])
    } finally {
      for (const wait of waits) this.#offsets.remove(wait)
      this.#request()
    }
  }

  /**
   * Calls `changed` after each publish that changes a key, and when the store stops. It may be called without a change.
   * @returns a function that ends that
   * @throws LatchkeyError waits_exhausted
   */
  onChange(key: Uint8Array, changed: () => void): () => void {
    this.#checkRoom()
    const remove = this.#keys.add(key, changed)
    this.#request()
    return () => {
      remove()
      this.#request()
    }
  }

  /** To be called after a message of a store thread that may concern a wait. */
  received({ changes }: ChangingThread): void {
    this.#request()
    if (this.#offsets.size > 0) {
      this.#offsets.check(
        (partition) => this.#visible(partition),
        (partition) => this.#standing(partition),
      )
    }
    this.#take(changes)
  }

  /** To be called when the store stops or has failed. */
  stopped(): void {
    for (const changed of this.#keys.all()) changed()
  }

  /** @param waits gets the wait, for its end */
  #untilVisible(partition: number, offset: number, waits: OffsetWait[]): Promise<void> {
    if (this.#visible(partition) > offset) return Promise.resolve()
    const error = this.#standing(partition)
    if (error !== undefined) return Promise.reject(error)
    this.#checkRoom()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const wait = { partition, offset, ended: (failed?: Error) => (failed === undefined ? resolve() : reject(failed)) }
    waits.push(wait)
    this.#offsets.add(wait)
    this.#request()
    return promise
  }

  #checkPartition(partition: number): void {
    const { partitions } = this.#source.threads().stats
    if (partitions.includes(partition)) return
    const count = this.#source.threads().assignment.partitionCount
    const attempted = `Waiting for partition ${partition} of store ${this.#source.id}`
    if (partition < count) throw new LatchkeyError('partition_not_held', `${attempted}: this instance does not hold it`)
    throw new LatchkeyError('invalid_parameter', `${attempted}: the topic has the partitions 0 to ${count - 1}`)
  }

  #notYetVisible(offsets: ReadonlyMap<number, number>): LatchkeyError {
    const stats = this.#source.threads().stats
    const missing = [...offsets].filter(([partition, offset]) => this.#visible(partition) <= offset)
    const visibleTo = Object.fromEntries(missing.map(([partition]) => [partition, known(this.#visible(partition))]))
    const isAcknowledged = ([partition, offset]: [number, number]) =>
      stats.gauge(partition, 'role') === 0 && stats.gauge(partition, 'position') > offset
    const awaitsFlush = missing.every(isAcknowledged)
    const found = missing.map(([partition, offset]) => {
      const visible = this.#visible(partition)
      const upTo = visible < 0 ? 'no known offset' : `offset ${visible}`
      return `partition ${partition} is visible up to ${upTo}, and ${offset} is asked for`
    })
    const advice = awaitsFlush
      ? 'The next flush makes it visible (AUTO_FLUSH_COUNT, AUTO_FLUSH_SECONDS). Wait longer'
      : 'Wait longer'
    const message = `Waiting for store ${this.#source.id}: ${found.join('; ')}. ${advice}`
    return new LatchkeyError('not_yet_visible', message, { details: { visibleTo, awaitsFlush } })
  }

  #visible(partition: number): number {
    return this.#source.threads().stats.gauge(partition, 'visible')
  }

  /** Returns why a partition will show no further records here; undefined if it will. */
  #standing(partition: number): LatchkeyError | undefined {
    const attempted = `Waiting for partition ${partition} of store ${this.#source.id}`
    const state = this.#source.state()
    if (state === 'stopping') return new LatchkeyError('stopping', `${attempted}: it is stopping`)
    if (state === 'failed') return new LatchkeyError('store_failed', `${attempted}: the store has failed`)
    const held = partitionStateOf(this.#source.threads().stats, partition)
    if (held !== 'fenced' && held !== 'halted') return undefined
    const found = held === 'fenced' ? 'another instance has taken it; ask that one' : 'it has halted at a record'
    return new LatchkeyError('not_yet_visible', `${attempted}: ${found}`, {
      details: { visibleTo: { [partition]: known(this.#visible(partition)) }, partitionState: held },
    })
  }

  #checkRoom(): void {
    if (this.waiting < waitsMax) return
    const found = `${this.waiting} requests already wait. Retry later`
    throw new LatchkeyError('waits_exhausted', `Waiting for store ${this.#source.id}: ${found}`)
  }

  /** Takes what a thread has published, and wakes whom it concerns. */
  #take(changes: ThreadChanges): void {
    const { cursor } = changes
    if (cursor === undefined) return
    const woken = new Set<() => void>()
    const { published } = cursor
    cursor.open(changes.at, published)
    if (this.#keys.size > 0) {
      while (cursor.next()) this.#keys.collect(cursor.data, cursor.keyStart, cursor.keyLength, woken)
    }
    const isWhole = !cursor.isLapped && cursor.omitted === changes.omitted && !changes.hasBegun
    changes.taken(published)
    for (const changed of isWhole ? woken : this.#keys.all()) changed()
  }

  /** Asks the store threads for the messages that the waits need. */
  #request(): void {
    if (this.waiting > 0) {
      clearTimeout(this.#linger)
      this.#linger = undefined
      this.#want(this.#keys.size > 0 ? 'keys' : 'positions')
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

function known(position: number): number | null {
  return position < 0 ? null : position
}
