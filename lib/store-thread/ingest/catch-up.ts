/**
 * Tracks which partitions have not reached the end that the source had at start, and which of them are being rebuilt.
 */
import { beginPhase } from '../../store-protocol/recovery-phase.ts'
import type { Stats } from '../../store-protocol/stats.ts'
import type { Resumption } from '../recovery/resume.ts'

export class CatchUp {
  readonly #stats: Stats
  readonly #targets = new Map<number, number>()
  readonly #rebuilding = new Set<number>()
  /** Resolvers of again(), for partitions that are read again while the store runs. */
  readonly #again = new Map<number, (isWhole: boolean) => void>()

  constructor(stats: Stats, resumptions: ReadonlyMap<number, Resumption>) {
    this.#stats = stats
    for (const [partition, resumption] of resumptions) this.add(partition, resumption)
  }

  add(
    partition: number,
    { position, rebuild, sourceEnd }: Pick<Resumption, 'position' | 'rebuild' | 'sourceEnd'>,
  ): void {
    this.#targets.set(partition, sourceEnd)
    this.#stats.setGauge(partition, 'caughtUp', 0)
    this.#stats.setGauge(partition, 'end', sourceEnd)
    if (rebuild) {
      this.#rebuilding.add(partition)
      this.aim(partition, position, sourceEnd)
    } else beginPhase(this.#stats, partition, 'catching-up', { start: position, end: sourceEnd })
  }

  /**
   * Starts a rebuild of a partition whose source is read again. aim() sets its target.
   * @returns whether the target was reached; false if the partition is lost, or must be read again
   */
  again(partition: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>()
    this.#again.get(partition)?.(false)
    this.#again.set(partition, resolve)
    this.#rebuilding.add(partition)
    this.#stats.setGauge(partition, 'caughtUp', 0)
    this.#targets.set(partition, Number.POSITIVE_INFINITY)
    return promise
  }

  /** Sets the start position and the target of a rebuild. */
  aim(partition: number, position: number, target: number): void {
    this.#targets.set(partition, target)
    beginPhase(this.#stats, partition, 'rebuilding', { start: position, end: target })
    this.#stats.setGauge(partition, 'recoveryStart', position)
    this.#stats.setGauge(partition, 'recoveryPosition', position)
    this.#stats.setGauge(partition, 'recoveryEnd', target)
  }

  get isDone(): boolean {
    return this.#targets.size === 0
  }

  get isRebuilding(): boolean {
    return this.#rebuilding.size > 0
  }

  rebuilds(partition: number): boolean {
    return this.#rebuilding.has(partition)
  }

  /** @returns whether the partition has just reached its target. Call arrived() when the records are visible */
  progressed(partition: number, acknowledged: number): boolean {
    const target = this.#targets.get(partition)
    if (target === undefined) return false
    this.#stats.setGauge(partition, 'phasePosition', Math.min(acknowledged, target))
    if (this.#rebuilding.has(partition)) {
      this.#stats.setGauge(partition, 'recoveryPosition', Math.min(acknowledged, target))
    }
    if (acknowledged < target) return false
    this.#targets.delete(partition)
    return true
  }

  /** Removes a lost partition, which has no target any more. */
  drop(partition: number): void {
    this.#targets.delete(partition)
    this.#rebuilding.delete(partition)
    this.#stats.setGauge(partition, 'caughtUp', -1)
    this.#stats.setGauge(partition, 'phaseEnd', this.#stats.gauge(partition, 'phasePosition'))
    this.#again.get(partition)?.(false)
  }

  /** @returns whether the partition was being rebuilt and is now complete */
  arrived(partition: number): boolean {
    // A new rebuild may have started since the target was reached.
    if (this.#targets.has(partition)) return false
    // It may have been given up meanwhile.
    if (this.#stats.gauge(partition, 'caughtUp') === 0) this.#stats.setGauge(partition, 'caughtUp', 1)
    this.#again.get(partition)?.(true)
    this.#again.delete(partition)
    return this.#rebuilding.delete(partition)
  }
}
