/** Writes of a program: each goes to the store thread that owns its partition, or is refused. */
import { setTimeout as sleep } from 'node:timers/promises'
import { isInstance, LatchkeyError } from '../errors.ts'
import type { StoreConfig } from '../store-protocol/store-config.ts'
import { notServing } from './not-serving.ts'
import { likelyPartition } from './partitioner.ts'
import type { StoreThreads } from './store-threads.ts'
import { explainWriteRefusal, refusalOfLost } from './write-refusals.ts'

/** A promotion takes some hundredths of a second. */
const promotionMsMax = 2_000
const promotionPauseMs = 10
/** More writes that wait for promotions are refused as before. */
const waitingMax = 10_000

export class Writes {
  readonly #config: StoreConfig
  readonly #threads: StoreThreads
  /** By partition. Writes that come meanwhile wait with the others, so that they keep their order. */
  readonly #promotions = new Map<number, Promise<void>>()
  #waiting = 0

  constructor(config: StoreConfig, threads: StoreThreads) {
    this.#config = config
    this.#threads = threads
  }

  /** As Store.write. */
  async write(key: Uint8Array, value: Uint8Array | null, partition: number): Promise<void> {
    if (this.#waiting < waitingMax && (this.#promotions.has(partition) || this.#isBeingTaken(partition))) {
      this.#waiting++
      await this.#promotion(partition)
      this.#waiting--
    }
    const { assignment } = this.#threads
    const handle = this.#threads.ownerOf(partition) ?? this.#threads.all[0]!
    if (handle.state !== 'running') throw notServing(`Writing to store ${this.#config.storeId}`, handle.state, handle)
    const { fenced, recordBytesMax } = handle
    const target = { fenced, recordBytesMax, full: this.#threads.full }
    const refusal = explainWriteRefusal(this.#config, partition, assignment, target, { key, value })
    if (refusal !== undefined) throw refusal
    try {
      await handle.writes.write(partition, key, value)
    } catch (error) {
      throw isInstance(error, LatchkeyError) ? refusalOfLost(error, partition, this.#threads.assignment) : error
    }
  }

  /** The group has given the partition to this instance, which is not its primary yet. */
  #isBeingTaken(partition: number): boolean {
    const { primaries, group } = this.#threads.assignment
    return group?.owners[partition] !== undefined && !group.isElsewhere[partition] && !primaries.includes(partition)
  }

  #promotion(partition: number): Promise<void> {
    const known = this.#promotions.get(partition)
    if (known !== undefined) return known
    const endsAt = performance.now() + promotionMsMax
    const wait = async () => {
      while (this.#isBeingTaken(partition) && performance.now() < endsAt) await sleep(promotionPauseMs)
      this.#promotions.delete(partition)
    }
    const promotion = wait()
    this.#promotions.set(partition, promotion)
    return promotion
  }

  /** As Store.partitionOf. */
  partitionOf(key: Uint8Array): number {
    const { partitionCount } = this.#threads.assignment
    return likelyPartition(key, partitionCount, this.#config.partitioner)
  }
}
