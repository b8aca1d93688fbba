/** The partitions in ingest: those that were added and that no other instance has taken since. */
import type { PartitionIngest } from './partition-ingest.ts'

/** How far a partition was written. */
export interface WrittenEnd {
  /** Offset in the changelog. Everything below is in memory. */
  readonly changelogEnd: number
  /** Offset in the source up to which the changelog has everything. */
  readonly acknowledged: number
}

export class PartitionTable {
  readonly #partitions = new Map<number, PartitionIngest>()
  /** Where partitions were lost. */
  readonly #lostAt = new Map<number, WrittenEnd>()

  get all(): PartitionIngest[] {
    return [...this.#partitions.values()]
  }

  add(state: PartitionIngest): void {
    this.#partitions.set(state.partition, state)
    this.#lostAt.delete(state.partition)
  }

  /** Returns undefined for a partition that is lost, or was not added. */
  get(partition: number): PartitionIngest | undefined {
    return this.#partitions.get(partition)
  }

  /** Whether the partition is not lost. To be checked after each wait. */
  isCurrent(state: PartitionIngest): boolean {
    return this.#partitions.get(state.partition) === state
  }

  /** Removes and returns a partition that is lost. */
  remove(partition: number): PartitionIngest | undefined {
    const state = this.#partitions.get(partition)
    this.#partitions.delete(partition)
    return state
  }

  noteLost(partition: number, end: WrittenEnd): void {
    this.#lostAt.set(partition, end)
  }

  /** Where a partition was lost that was not added since. */
  lostAt(partition: number): WrittenEnd | undefined {
    return this.#lostAt.get(partition)
  }

  /**
   * @returns a function that returns whether everything read and written up to now is acknowledged, or its partition is
   *   lost
   */
  settledMark(): () => boolean {
    const taken = [...this.#partitions.values()].map((state) => ({ state, isSettled: state.settledMark() }))
    return () => taken.every(({ state, isSettled }) => !this.isCurrent(state) || isSettled())
  }
}
