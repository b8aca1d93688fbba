/** Fetches the source for the partitions that may be read. SourceReader takes what is fetched. */
import type { FetchSink } from '../../kafka/fetch-sink.ts'
import { Fetcher } from '../../kafka/fetcher.ts'
import { sourceFetch } from '../../topics/clients.ts'
import type { StoreContext } from '../store-context.ts'
import type { PartitionIngest } from './partition-ingest.ts'
import type { PartitionLifecycle } from './partition-lifecycle.ts'
import type { PartitionTable } from './partition-table.ts'

export class SourceFetcher {
  readonly #events: PartitionLifecycle
  readonly #fetcher: Fetcher
  readonly #memory: StoreContext['memory']

  constructor({ clients, config, memory }: StoreContext, events: PartitionLifecycle, partitions: PartitionTable) {
    this.#events = events
    this.#memory = memory
    memory.onChange(() => {
      for (const state of partitions.all) this.update(state)
    })
    this.#fetcher = new Fetcher(clients.consumer, config.sourceTopic, sourceFetch(config))
  }

  run(sink: FetchSink): Promise<void> {
    return this.#fetcher.run(sink)
  }

  /**
   * Starts or stops reading a partition, from its consumed offset, as its `mayFetch` and the memory say. To be called
   * when that has changed.
   */
  update(state: PartitionIngest): void {
    if (state.mayFetch && this.#memory.mayIngest) this.#fetcher.add(state.partition, state.consumed, state.epochs)
    else this.#fetcher.remove(state.partition)
  }

  remove(partition: number): void {
    this.#fetcher.remove(partition)
  }

  /** To be called when a partition has halted at a record. */
  halted(state: PartitionIngest): void {
    this.update(state)
    this.#events.halted(state.partition, state.reading.halted!)
  }

  stop(): void {
    this.#fetcher.stop()
  }
}
