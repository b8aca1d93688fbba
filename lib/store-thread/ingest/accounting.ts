/**
 * Accounts for what the partitions have encoded and for what the changelog has acknowledged: bounds the bytes in
 * between, reports how far each partition is acknowledged, and wakes callers that wait for that.
 */
import type { StoreContext } from '../store-context.ts'
import { Backlog } from './backlog.ts'
import { ConditionWaiters } from './condition-waiters.ts'
import type { PartitionIngest } from './partition-ingest.ts'
import type { PartitionLifecycle } from './partition-lifecycle.ts'
import type { PartitionTable } from './partition-table.ts'
import type { SourceFetcher } from './source-fetcher.ts'

export class Accounting {
  /** Callers that wait for a condition on partitions. */
  readonly progress = new ConditionWaiters()
  readonly #context: StoreContext
  readonly #events: PartitionLifecycle
  readonly #backlog: Backlog

  constructor(context: StoreContext, events: PartitionLifecycle, partitions: PartitionTable, fetcher: SourceFetcher) {
    this.#context = context
    this.#events = events
    this.#backlog = new Backlog(
      () => context.roles.primaries.length,
      (partition, isPaused) => {
        const state = partitions.get(partition)
        if (state === undefined) return
        state.reading.pause(isPaused)
        fetcher.update(state)
      },
    )
    context.memory.countPending(() => this.#backlog.bytes)
  }

  /** To be called when a partition's encoded bytes that wait for an acknowledgement have changed. */
  account(state: PartitionIngest): void {
    this.#backlog.add(state.partition, state.takeBytesChange())
  }

  /** To be called when more of a partition may be acknowledged. */
  progressed({ partition, acknowledged }: PartitionIngest): void {
    const { stats, changes, flusher } = this.#context
    stats.setGauge(partition, 'position', acknowledged)
    changes.positions.noteSource(partition, acknowledged)
    flusher.progressed()
    this.#events.progressed(partition, acknowledged)
    this.progress.made()
  }

  /** To be called when a partition is lost. Its bytes do not count any more. */
  lost(state: PartitionIngest): void {
    this.#backlog.add(state.partition, -state.bytesReported)
  }

  /** Returns a promise that resolves when there is room to encode more; undefined if there is room. */
  room(): Promise<void> | undefined {
    return this.#backlog.room() ?? this.#context.flusher.room()
  }

  /** Pauses no more partitions, and resolves a pending room(). */
  stop(): void {
    this.#backlog.stop()
  }
}
