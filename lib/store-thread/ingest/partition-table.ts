/** The partitions in ingest: those that were added and that no other instance has taken since. */
import type { PartitionIngest } from './partition-ingest.ts'

export class PartitionTable {
  readonly #partitions = new Map<number, PartitionIngest>()

  get all(): PartitionIngest[] {
    return [...this.#partitions.values()]
  }

  add(state: PartitionIngest): void {
    this.#partitions.set(state.partition, state)
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

  /**
   * @returns a function that returns whether everything read and written up to now is acknowledged, or its partition is
   *   lost
   */
  settledMark(): () => boolean {
    const taken = [...this.#partitions.values()].map((state) => ({ state, isSettled: state.settledMark() }))
    return () => taken.every(({ state, isSettled }) => !this.isCurrent(state) || isSettled())
  }
}
