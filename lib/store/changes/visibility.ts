/** Waits until source records are visible: how far a partition is visible, and why it will not go on. */
import { LatchkeyError } from '../../errors.ts'
import { partitionStateOf } from '../../store-protocol/partition-state.ts'
import type { StatsView } from '../../store-protocol/stats-view.ts'
import type { StoreState } from '../../store-protocol/status.ts'
import { type OffsetWait, OffsetWaits } from './offset-waits.ts'

export interface VisibilitySource {
  readonly id: string
  stats(): StatsView
  partitionCount(): number
  state(): StoreState
  /** Why nothing more is read; undefined while there is room in memory. */
  full(): string | undefined
  /** @throws LatchkeyError what a lookup throws while the store does not serve */
  requireServing(): void
  /** @throws LatchkeyError waits_exhausted */
  checkRoom(): void
  /** The number of waits has changed. */
  changed(): void
}

export class Visibility {
  readonly #source: VisibilitySource
  readonly #offsets = new OffsetWaits()

  constructor(source: VisibilitySource) {
    this.#source = source
  }

  /** Number of waits. */
  get waiting(): number {
    return this.#offsets.size
  }

  /**
   * Returns whether source records are visible here.
   * @param offsets by partition
   * @throws LatchkeyError invalid_parameter, partition_not_held, and what a lookup throws while the store does not serve
   */
  isVisible(offsets: ReadonlyMap<number, number>): boolean {
    this.#source.requireServing()
    for (const partition of offsets.keys()) this.checkPartition(partition)
    for (const [partition, offset] of offsets) if (this.#visible(partition) <= offset) return false
    return true
  }

  /**
   * Waits until source records are visible here.
   * @param over ends the wait when it resolves
   * @returns rejects with LatchkeyError: not_yet_visible, waits_exhausted, stopping, store_failed, and partition_not_held
   *   if a partition leaves
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
      this.#source.changed()
    }
  }

  /** Ends the waits that are over. */
  check(): void {
    if (this.#offsets.size === 0) return
    this.#offsets.check(
      (partition) => this.#visible(partition),
      (partition) => this.#standing(partition),
    )
  }

  /**
   * @param action what it is for, as messages name it
   * @throws LatchkeyError invalid_parameter, partition_not_held
   */
  checkPartition(partition: number, action = 'Waiting for'): void {
    if (this.#source.stats().holds(partition)) return
    const count = this.#source.partitionCount()
    const attempted = `${action} partition ${partition} of store ${this.#source.id}`
    if (partition < count) throw notHeld(attempted)
    throw new LatchkeyError('invalid_parameter', `${attempted}: the topic has the partitions 0 to ${count - 1}`)
  }

  /** @param waits gets the wait, for its end */
  #untilVisible(partition: number, offset: number, waits: OffsetWait[]): Promise<void> {
    if (this.#visible(partition) > offset) return Promise.resolve()
    const error = this.#standing(partition)
    if (error !== undefined) return Promise.reject(error)
    this.#source.checkRoom()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const wait = { partition, offset, ended: (failed?: Error) => (failed === undefined ? resolve() : reject(failed)) }
    waits.push(wait)
    this.#offsets.add(wait)
    this.#source.changed()
    return promise
  }

  #notYetVisible(offsets: ReadonlyMap<number, number>): LatchkeyError {
    const stats = this.#source.stats()
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
      : this.#adviceUnread()
    const message = `Waiting for store ${this.#source.id}: ${found.join('; ')}. ${advice}`
    return new LatchkeyError('not_yet_visible', message, { details: { visibleTo, awaitsFlush } })
  }

  #adviceUnread(): string {
    const full = this.#source.full()
    if (full === undefined) return 'Wait longer'
    return `The store's ${full}. Raise MEMORY_MAX, or the limit of the control group that it follows, or hold fewer partitions here`
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
    if (this.#source.stats().gauge(partition, 'role') < 0) return notHeld(attempted)
    const held = partitionStateOf(this.#source.stats(), partition)
    if (held !== 'fenced' && held !== 'halted') return undefined
    const found = held === 'fenced' ? 'another instance has taken it; ask that one' : 'it has halted at a record'
    return new LatchkeyError('not_yet_visible', `${attempted}: ${found}`, {
      details: { visibleTo: { [partition]: known(this.#visible(partition)) }, partitionState: held },
    })
  }
}

function notHeld(attempted: string): LatchkeyError {
  return new LatchkeyError('partition_not_held', `${attempted}: this instance does not hold it; ask another one`)
}

function known(position: number): number | null {
  return position < 0 ? null : position
}
