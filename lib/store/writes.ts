/** Writes of a program: each goes to the store thread that owns its partition, or is refused. */
import type { StoreConfig } from '../store-protocol/store-config.ts'
import { notServing } from './not-serving.ts'
import { partitionFor } from './partitioner.ts'
import type { StoreThreads } from './store-threads.ts'
import { explainWriteRefusal } from './write-refusals.ts'

export class Writes {
  readonly #config: StoreConfig
  readonly #threads: StoreThreads

  constructor(config: StoreConfig, threads: StoreThreads) {
    this.#config = config
    this.#threads = threads
  }

  /** As Store.write. */
  async write(key: Uint8Array, value: Uint8Array | null, partition: number): Promise<void> {
    const { assignment } = this.#threads
    const handle = this.#threads.ownerOf(partition) ?? this.#threads.all[0]!
    if (handle.state !== 'running') throw notServing(`Writing to store ${this.#config.storeId}`, handle.state, handle)
    const { fenced, recordBytesMax } = handle
    const target = { fenced, recordBytesMax, full: this.#threads.full }
    const refusal = explainWriteRefusal(this.#config, partition, assignment, target, { key, value })
    if (refusal !== undefined) throw refusal
    await handle.writes.write(partition, key, value)
  }

  /** As Store.partitionOf. */
  partitionOf(key: Uint8Array): number {
    const { partitionCount } = this.#threads.assignment
    return partitionFor(key, partitionCount, this.#config.partitioner) ?? partitionFor(key, partitionCount, 'murmur2')!
  }
}
