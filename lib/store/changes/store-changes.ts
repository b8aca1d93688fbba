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
import { OffsetWaits } from './offset-waits.ts'
import type { ThreadChanges } from './thread-changes.ts'

/** Waits at a time, in one thread. */
const waitsMax = 20_000
/** Time for which messages are still requested after the last wait: often another one follows. */
const lingerMs = 10_000

export interface ChangingThread {
  readonly state: StoreState
  readonly changes: ThreadChanges
}

export interface ChangeSource {
  readonly id: string
  threads(): readonly ChangingThread[]
  stats(): StatsView
  state(): StoreState
}

export interface Wait {
  /** Rejects with LatchkeyError if the record will not become visible here: not_yet_visible, stopping, store_failed. */
  readonly ended: Promise<void>
  /** Leaves the promise pending. */
  cancel(): void
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
   * Waits until a source record is visible here.
   * @returns undefined if it is
   * @throws LatchkeyError waits_exhausted; those of `ended`
   */
  untilVisible(partition: number, offset: number): Wait | undefined {
    if (this.#visible(partition) > offset) return undefined
    const error = this.#standing(partition)
    if (error !== undefined) throw error
    this.#checkRoom()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const wait = { partition, offset, ended: (failed?: Error) => (failed === undefined ? resolve() : reject(failed)) }
    this.#offsets.add(wait)
    this.#request()
    return {
      ended: promise,
      cancel: () => {
        this.#offsets.remove(wait)
        this.#request()
      },
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

  #visible(partition: number): number {
    return this.#source.stats().gauge(partition, 'visible')
  }

  /** Returns why a partition will show no further records here; undefined if it will. */
  #standing(partition: number): LatchkeyError | undefined {
    const attempted = `Waiting for partition ${partition} of store ${this.#source.id}`
    const state = this.#source.state()
    if (state === 'stopping') return new LatchkeyError('stopping', `${attempted}: it is stopping`)
    if (state === 'failed') return new LatchkeyError('store_failed', `${attempted}: the store has failed`)
    const held = partitionStateOf(this.#source.stats(), partition)
    if (held !== 'fenced' && held !== 'halted') return undefined
    const found = held === 'fenced' ? 'another instance has taken it; ask that one' : 'it has halted at a record'
    return new LatchkeyError('not_yet_visible', `${attempted}: ${found}`, {
      details: { visibleTo: { [partition]: this.#visible(partition) }, partitionState: held },
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
    for (const { state, changes } of this.#source.threads()) if (state === 'running') changes.want(watching)
  }
}
