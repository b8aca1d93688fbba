/** Which partitions have yet to reach the end that the source had at start, and which of them are rebuilt on the way there. */
import { beginPhase } from '../../contract/recovery-phase.ts'
import { type Stats } from '../../contract/stats.ts'
import { type Resumption } from '../recovery/resumption.ts'

export class CatchUp {
  readonly #stats: Stats
  readonly #targets = new Map<number, number>()
  readonly #rebuilding = new Set<number>()

  constructor(stats: Stats, resumptions: ReadonlyMap<number, Resumption>) {
    this.#stats = stats
    for (const [partition, { position, rebuild, sourceEnd }] of resumptions) {
      this.#targets.set(partition, sourceEnd)
      stats.setGauge(partition, 'end', sourceEnd)
      beginPhase(stats, partition, rebuild ? 'rebuilding' : 'catching-up', { start: position, end: sourceEnd })
      if (!rebuild) continue
      this.#rebuilding.add(partition)
      stats.setGauge(partition, 'recoveryStart', position)
      stats.setGauge(partition, 'recoveryPosition', position)
      stats.setGauge(partition, 'recoveryEnd', sourceEnd)
    }
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

  /** @returns whether the partition has just reached its end; tell arrived() once what was read is visible */
  progressed(partition: number, acknowledged: number): boolean {
    const target = this.#targets.get(partition)
    if (target === undefined) return false
    this.#stats.setGauge(partition, 'phasePosition', Math.min(acknowledged, target))
    if (this.#rebuilding.has(partition))
      this.#stats.setGauge(partition, 'recoveryPosition', Math.min(acknowledged, target))
    if (acknowledged < target) return false
    this.#targets.delete(partition)
    return true
  }

  /** The partition is lost: nothing is to be reached any more. */
  drop(partition: number): void {
    this.#targets.delete(partition)
    this.#rebuilding.delete(partition)
    this.#stats.setGauge(partition, 'phaseEnd', this.#stats.gauge(partition, 'phasePosition'))
  }

  /** @returns whether the partition was rebuilt and now is whole */
  arrived(partition: number): boolean {
    return this.#rebuilding.delete(partition)
  }
}
