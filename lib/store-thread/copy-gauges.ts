/**
 * Shows in the gauges what a group has to know of each copy of a changelog partition. Looks now and then, so that records
 * cost nothing. Only where partitions come and go.
 */
import { partitionStateOf } from '../store-protocol/partition-state.ts'
import type { Stats } from '../store-protocol/stats.ts'
import { CopyReadiness } from './copy-readiness.ts'

const intervalMs = 100

/** A copy of a changelog partition in memory. */
export interface HeldCopy {
  /** Next offset of the changelog to read or to write. */
  readonly position: number
  /** Log start offset when the reading began. */
  readonly start: number
  /** Offset of the last marker that is known; -1 if none is. */
  readonly term: number
}

export class CopyGauges {
  readonly #stats: Stats
  readonly #copyOf: (partition: number) => HeldCopy | undefined
  readonly #readiness = new Map<number, CopyReadiness>()
  readonly #timer: ReturnType<typeof setInterval>

  /** @param copyOf returns undefined for a partition that is about to be read, or that is lost */
  constructor(stats: Stats, copyOf: (partition: number) => HeldCopy | undefined) {
    this.#stats = stats
    this.#copyOf = copyOf
    this.#timer = setInterval(() => this.look(performance.now()), intervalMs)
  }

  look(now: number): void {
    const stats = this.#stats
    for (const partition of this.#readiness.keys()) if (!stats.holds(partition)) this.#readiness.delete(partition)
    for (const partition of stats.partitions) this.#show(partition, now)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #show(partition: number, now: number): void {
    const stats = this.#stats
    const { position, start, term } = this.#copyOf(partition) ?? { position: -1, start: -1, term: -1 }
    stats.setGauge(partition, 'changelogPosition', position)
    stats.setGauge(partition, 'term', term)
    if (position < 0) {
      this.#readiness.delete(partition)
      stats.setGauge(partition, 'ready', 0)
      return stats.setGauge(partition, 'halfRead', 0)
    }
    const isReplica = stats.gauge(partition, 'role') === 1
    const end = isReplica ? stats.gauge(partition, 'end') : position
    const isClose = this.#readinessOf(partition).look(position, end, now)
    const isReady = !isReplica || (isClose && partitionStateOf(stats, partition) === 'running')
    stats.setGauge(partition, 'ready', isReady ? 1 : 0)
    stats.setGauge(partition, 'halfRead', (position - start) * 2 >= end - start ? 1 : 0)
  }

  #readinessOf(partition: number): CopyReadiness {
    const known = this.#readiness.get(partition)
    if (known !== undefined) return known
    const readiness = new CopyReadiness()
    this.#readiness.set(partition, readiness)
    return readiness
  }
}
