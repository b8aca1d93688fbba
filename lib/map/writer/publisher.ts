/**
 * Publishes operations. Calls run one after another; each exchanges the two sides and then cleans. The call determines
 * the operations that it makes visible, however long it waits: the store has checked exactly these operations against
 * the changelog.
 */
import { LatchkeyError } from '../../errors.ts'
import { publishesWaitingMax } from '../memory/limits.ts'
import type { Side } from '../memory/map-messages.ts'
import type { SideFigures } from '../memory/side-figures.ts'
import type { Cleaner } from './cleaner.ts'
import type { LeftRight } from './left-right.ts'
import type { Oplog } from './oplog.ts'
import type { IndexPartition, PartitionIndex } from './partition-index.ts'
import type { PartitionLives } from './partition-lives.ts'
import type { SegmentAllocator } from './segment-allocator.ts'

/** What a publish changes. */
export interface PublishTargets {
  readonly oplog: Oplog
  readonly index: PartitionIndex
  readonly lives: PartitionLives
}

const none: readonly IndexPartition[] = []

export class Publisher {
  readonly #oplog: Oplog
  readonly #index: PartitionIndex
  readonly #lives: PartitionLives
  readonly #leftRight: LeftRight
  readonly #cleaner: Cleaner
  readonly #allocator: SegmentAllocator
  readonly #figures: SideFigures
  #calls = 0
  #waiting = 0
  #last: Promise<unknown> = Promise.resolve()
  /** Set when a side was left half changed. The map can then not be written any more. */
  #broken: unknown

  constructor(
    { oplog, index, lives }: PublishTargets,
    leftRight: LeftRight,
    cleaner: Cleaner,
    allocator: SegmentAllocator,
    figures: SideFigures,
  ) {
    this.#oplog = oplog
    this.#index = index
    this.#lives = lives
    this.#leftRight = leftRight
    this.#cleaner = cleaner
    this.#allocator = allocator
    this.#figures = figures
  }

  /** Number of publish() calls so far. */
  get calls(): number {
    return this.#calls
  }

  /**
   * Publishes the operations that are in the oplog at the call, shows the partitions opened before, and takes away those
   * removed before. Resolves with the number of operations.
   */
  publish(): Promise<number> {
    const call = ++this.#calls
    const { end, endBytes } = this.#oplog
    return this.#enqueue(() => this.#publish(call, end, endBytes))
  }

  /**
   * Calls `step` between two publishes, when both sides have all operations but those in the oplog, with the unpublished
   * side.
   */
  between<T>(step: (oplog: Oplog, side: Side) => T): Promise<T> {
    return this.#enqueue(() => step(this.#oplog, this.#leftRight.unpublished))
  }

  /** Runs `step` after the calls before it, when no exchange is unfinished. */
  #enqueue<T>(step: () => T | Promise<T>): Promise<T> {
    if (this.#waiting >= publishesWaitingMax) {
      const message = `publish: ${this.#waiting} calls already wait. Await them`
      return Promise.reject(new LatchkeyError('flush_timed_out', message))
    }
    this.#waiting++
    const result = this.#last
      .then(async () => {
        if (this.#broken !== undefined) throw this.#broken
        await this.#leftRight.resume()
        return step()
      })
      .finally(() => this.#waiting--)
    this.#last = result.catch(() => {})
    return result
  }

  async #publish(call: number, end: number, endBytes: number): Promise<number> {
    const opened = this.#lives.goLive(call)
    const removed = this.#lives.removed(call)
    const { start } = this.#oplog
    if (end > start || opened || removed.length > 0) {
      await this.#exchange(this.#oplog, start, end, endBytes, removed)
    }
    await this.#clean()
    this.#allocator.reserve()
    return Math.max(0, end - start)
  }

  /**
   * Moves have their own oplog and their own exchange, because a move precedes any operation put meanwhile,
   * which is younger.
   */
  async #clean(): Promise<void> {
    for (;;) {
      const moves = this.#cleaner.cleanLive(this.#index.partitions, this.#leftRight.unpublished, this.#oplog.start)
      if (moves.length === 0) return
      await this.#exchange(moves, 0, moves.end, moves.endBytes)
      await eventsHandled()
    }
  }

  async #exchange(oplog: Oplog, start: number, end: number, endBytes: number, removed = none): Promise<void> {
    await this.#leftRight.exchange((side, final) => {
      try {
        this.#index.absorb(oplog, start, end, side, final)
        this.#lives.withdraw(removed, side, final)
        this.#lives.announceTables(side)
        if (!final) this.#writeFigures(side)
      } catch (error) {
        this.#broken = error
        throw error
      }
      if (final && end > start) oplog.absorbed(end, endBytes)
    })
  }

  /** Writes what the side will show once it is published. */
  #writeFigures(side: Side): void {
    this.#figures.setExchanges(side, this.#leftRight.exchanges + 1)
    for (const { log, tables, isShown } of this.#index.partitions) {
      this.#figures.setEntries(side, log.index, isShown ? tables[side]!.count : 0)
    }
  }
}

/** Lets the thread handle its events between two rounds of cleaning. */
function eventsHandled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
