/**
 * What this instance holds, from the gauges of the store threads in shared memory, and from what the plans have said. The
 * store threads do not know the group: they have roles.
 */
import type { GroupPlan, Holding, Route, Unfit } from '../group-protocol/member.ts'
import { isHidden, partitionStateOf } from '../store-protocol/partition-state.ts'
import { Stats } from '../store-protocol/stats.ts'

/** Time for which a copy that is ready may wait for its promotion. It is refused if another instance was faster. */
const promotionMs = 5_000

export interface FoundHoldings {
  held: Holding[]
  unfit: Unfit[]
  /** Whether another instance has taken a partition from this one. */
  isLost: boolean
}

/** Whether there is no room for other partitions than before: sizes may differ. */
export function hasOther(unfit: readonly Unfit[], before: readonly Unfit[]): boolean {
  return unfit.length !== before.length || unfit.some((one, index) => one.partition !== before[index]!.partition)
}

export class Holdings {
  readonly #stats: Stats[] = []
  /** Partitions of which this instance is to be primary, and since when it is not although it has all of them. */
  readonly #claims = new Map<number, number | undefined>()
  /** Primaries at the last look. */
  #primaries = new Set<number>()
  /** Copies that may answer that a key does not exist. */
  readonly #complete = new Set<number>()

  addStoreThread(layout: readonly number[], buffer: SharedArrayBuffer): void {
    this.#stats.push(new Stats(layout, buffer))
  }

  /** Takes each plan. What it calls complete here was read from a complete copy. */
  planned(plan: GroupPlan, memberId: string): void {
    const own = plan.members.findIndex((member) => member.memberId === memberId)
    for (const [partition, route] of plan.routes.entries()) {
      if (own >= 0 && route.primary === own) this.#claims.set(partition, undefined)
      else this.#claims.delete(partition)
    }
    if (own < 0) this.#claims.clear()
  }

  /** The coordinator has removed this instance. */
  removed(): void {
    this.#claims.clear()
  }

  /** @param plan the present one: what it calls complete is that here, too, once it is read to the end */
  look(plan: GroupPlan | undefined, nowMs: number): FoundHoldings {
    const held: Holding[] = []
    const unfit: Unfit[] = []
    const primaries = new Set<number>()
    let isLost = false
    for (const stats of this.#stats) {
      for (const partition of stats.layout) {
        const role = stats.gauge(partition, 'role')
        if (role < 0) {
          this.#complete.delete(partition)
          const bytes = stats.gauge(partition, 'neededBytes')
          if (bytes > 0) unfit.push({ partition, bytes })
          continue
        }
        if (role === 0) primaries.add(partition)
        else if (this.#isRefused(stats, partition, nowMs)) {
          isLost = true
          this.#claims.delete(partition)
        }
        held.push(this.#holding(stats, partition, plan?.routes[partition]))
      }
    }
    this.#primaries = primaries
    return { held, unfit, isLost }
  }

  #isRefused(stats: Stats, partition: number, nowMs: number): boolean {
    if (!this.#claims.has(partition)) return false
    if (this.#primaries.has(partition)) return true
    const waits = stats.gauge(partition, 'ready') === 1 && stats.gauge(partition, 'promoting') !== 1
    const sinceMs = waits ? (this.#claims.get(partition) ?? nowMs) : undefined
    this.#claims.set(partition, sinceMs)
    return sinceMs !== undefined && nowMs - sinceMs > promotionMs
  }

  #holding(stats: Stats, partition: number, planned: Route | undefined): Holding {
    const isPrimary = stats.gauge(partition, 'role') === 0
    const isReady = isPrimary || stats.gauge(partition, 'ready') === 1
    const state = partitionStateOf(stats, partition)
    const isFilled = isPrimary || state === 'running'
    const isRead = (planned?.isComplete === true && isReady) || stats.gauge(partition, 'caughtUp') === 1
    // A primary that rebuilds has read the source to its end once, and lacks keys.
    const isRebuilt = state === 'rebuilding' || isHidden(stats, partition)
    if (!isFilled || isRebuilt) this.#complete.delete(partition)
    else if (isRead) this.#complete.add(partition)
    const bytes = Math.max(0, stats.gauge(partition, 'totalBytes')) + Math.max(0, stats.gauge(partition, 'indexBytes'))
    return {
      partition,
      position: Math.max(0, stats.gauge(partition, 'changelogPosition')),
      bytes: isReady ? bytes : Math.max(bytes, stats.gauge(partition, 'neededBytes')),
      term: stats.gauge(partition, 'term'),
      isReady,
      isPrimary: isPrimary || this.#claims.has(partition),
      isPromoting: stats.gauge(partition, 'promoting') === 1,
      isComplete: this.#complete.has(partition),
      // A copy may not have read yet what makes the plan say so.
      hasStrangers: stats.gauge(partition, 'strangers') === 1 || planned?.hasStrangers === true,
      isHalfRead: stats.gauge(partition, 'halfRead') === 1,
      isStalled: isPrimary && (state === 'halted' || stats.count('full') === 1),
    }
  }
}
