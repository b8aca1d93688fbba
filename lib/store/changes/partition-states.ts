/** The states of the partitions that are held, as followers have seen them last. They change without a message. */
import { isComplete, partitionStateOf } from '../../store-protocol/partition-state.ts'
import type { StatsView } from '../../store-protocol/stats-view.ts'
import type { PartitionState } from '../../store-protocol/status.ts'

export class PartitionStates {
  /** Another map after each change. */
  all: ReadonlyMap<number, PartitionState> = new Map()
  /** How often each partition has been filled again, or left; also of those that are not held now. */
  readonly #refills = new Map<number, number>()

  /**
   * Looks at them.
   * @returns partitions of which a change is in no ring: those that are complete now, those that are filled again, and
   *   those that have left and may be back already; undefined if nothing has changed
   */
  look(stats: StatsView): ReadonlySet<number> | undefined {
    const begun = new Set<number>()
    const states = new Map<number, PartitionState>()
    let isChanged = false
    for (const partition of stats.partitions) {
      const state = partitionStateOf(stats, partition)
      const former = this.all.get(partition)
      const refills = stats.gauge(partition, 'refills')
      if (refills !== (this.#refills.get(partition) ?? refills)) begun.add(partition)
      if (isComplete(state) && !isComplete(former ?? 'starting')) begun.add(partition)
      isChanged ||= state !== former
      states.set(partition, state)
      this.#refills.set(partition, refills)
    }
    for (const [partition, former] of this.all) {
      if (states.has(partition)) continue
      if (isComplete(former)) begun.add(partition)
      isChanged = true
    }
    if (!isChanged && begun.size === 0) return undefined
    this.all = states
    return begun
  }
}
