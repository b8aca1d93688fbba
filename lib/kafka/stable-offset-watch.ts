/**
 * Reports open transactions that stop a reader of committed records. A Fetch succeeds meanwhile, and the end that it
 * reports is the last stable offset, so neither an error nor a lag shows them.
 */
import type { Isolation } from '../store-protocol/client-config.ts'
import type { KafkaClient } from './client.ts'
import { hiddenByTransaction } from './open-transaction.ts'
import type { FetchedPartition } from './protocol/fetch.ts'

/** Transactions that end sooner are usual: checkpoints of stream processors are often a minute apart. */
const patienceMs = 60_000

interface Held {
  /** Last stable offset. */
  stable: number
  /** Time since when it has been there, below the high watermark. */
  since: number
  /** Key of its trouble. */
  readonly operation: symbol
  isReported: boolean
}

export class StableOffsetWatch {
  readonly #client: KafkaClient
  readonly #topic: string
  readonly #isCommitted: boolean
  readonly #held = new Map<number, Held>()

  /** @param signal aborted when nothing more is fetched */
  constructor(client: KafkaClient, topic: string, isolation: Isolation, signal: AbortSignal) {
    this.#client = client
    this.#topic = topic
    this.#isCommitted = isolation === 'read_committed'
    signal.addEventListener('abort', () => this.#held.forEach((held) => this.#moved(held)), { once: true })
  }

  /** To be called for each partition of each Fetch response. Allocates nothing after the first one of a partition. */
  heard({ partition, lastStableOffset: stable, highWatermark }: FetchedPartition): void {
    if (!this.#isCommitted) return
    let held = this.#held.get(partition)
    if (held === undefined) {
      held = {
        stable: -1,
        since: 0,
        operation: Symbol(`open transaction of partition ${partition}`),
        isReported: false,
      }
      this.#held.set(partition, held)
    }
    const now = Date.now()
    if (stable >= highWatermark || stable !== held.stable) {
      held.stable = stable
      held.since = now
      this.#moved(held)
    } else if (!held.isReported && now - held.since >= patienceMs) {
      held.isReported = true
      this.#client.health.waits(hiddenByTransaction(this.#topic, partition, stable), { operation: held.operation })
    }
  }

  /** To be called when a partition is not fetched any more. */
  forget(partition: number): void {
    const held = this.#held.get(partition)
    if (held === undefined) return
    this.#moved(held)
    this.#held.delete(partition)
  }

  #moved(held: Held): void {
    if (!held.isReported) return
    held.isReported = false
    this.#client.health.over(held.operation)
  }
}
