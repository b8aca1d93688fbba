/** Brings replicas to the end that the own fence has set, so that they can be written from there on. */
import { sleep } from '../kafka/backoff.ts'
import { setPartitionState } from '../store-protocol/partition-state.ts'
import type { PartitionOwnership } from './ingest/partition-ownership.ts'
import { MarkerWait } from './marker-wait.ts'
import { watchMarkers } from './recovery/own-marker.ts'
import type { Recovered } from './recovery/recovery.ts'
import { recoveredOf, type Replica } from './replica.ts'
import type { StoreContext } from './store-context.ts'

/** An open transaction of another program may hide the marker of one partition. Others do not wait for it. */
const othersPatienceMs = 1_000

export interface HandoverSteps {
  /** Stops reading a replica. */
  stop(partition: number): void
  /** Reads a replica from its position on. */
  continue(partition: number): void
  /** Partitions have been taken out of the map. */
  emptied(): void
}

export class ReplicaHandover {
  readonly #context: StoreContext
  readonly #replicas: Map<number, Replica>
  readonly #stop: HandoverSteps['stop']
  readonly #continue: HandoverSteps['continue']
  readonly #emptied: HandoverSteps['emptied']

  constructor(
    context: StoreContext,
    replicas: Map<number, Replica>,
    { stop, continue: continues, emptied }: HandoverSteps,
  ) {
    this.#context = context
    this.#replicas = replicas
    this.#stop = stop
    this.#continue = continues
    this.#emptied = emptied
  }

  /** Whether a replica needs no reading from the start to become a primary. */
  isWarm(partition: number): boolean {
    return this.#replicas.get(partition)?.isDisputed === false
  }

  /** Expects the markers of a fence. To be called before it. */
  expect(partitions: readonly number[]): void {
    for (const partition of partitions) this.#replicas.get(partition)!.ending = new MarkerWait()
  }

  /** Continues as before, because the fence has failed. */
  cancel(partitions: readonly number[]): void {
    for (const partition of partitions) {
      const replica = this.#replicas.get(partition)
      if (replica?.ending === undefined) continue
      const isStopped = replica.ending.end !== undefined
      replica.ending = undefined
      if (isStopped) this.#continue(partition)
    }
  }

  /**
   * Reads replicas up to the own markers. Nothing is read after them. Nothing that the map has is read again.
   * @param patienceMs time to wait for the others once one marker is read; for tests
   * @returns what is known of those whose marker is read, and that are still warm, as of a recovery
   */
  async readToMarkers(
    partitions: readonly number[],
    ownership: PartitionOwnership,
    patienceMs = othersPatienceMs,
  ): Promise<Map<number, Recovered>> {
    if (partitions.length === 0) return new Map()
    const { clients, config } = this.#context
    const ends = new Map(partitions.map((partition) => [partition, this.#replicas.get(partition)!]))
    const identityOf = (partition: number) => ownership.identity(partition)
    const progress = new Map<number, { position: number; end: number; endEpoch: number }>()
    for (const [partition, replica] of ends) {
      replica.ending!.fenced(() => identityOf(partition))
      progress.set(partition, {
        get position() {
          return replica.position
        },
        end: 0,
        get endEpoch() {
          return replica.ending?.end?.producerEpoch ?? -1
        },
      })
    }
    const waiting = new AbortController()
    const fenceAgain = async (partition: number, position: number) => {
      await ownership.renew(partition, position)
    }
    const marked = { client: clients.changelog, changelogTopic: config.changelogTopic, identityOf, fenceAgain }
    const watching = watchMarkers(marked, progress, waiting.signal)
    const overdue = new Promise<never>((_, reject) => watching.catch(reject))
    const found = [...ends.values()].map(({ ending }) => ending!.found)
    const some = Promise.any(found).then(() => sleep(patienceMs, waiting.signal))
    try {
      await Promise.race([Promise.all(found), some, overdue])
    } finally {
      waiting.abort()
    }
    await watching
    // Records of others than the owner may be the last ones before the marker.
    const read = [...ends].filter(([, { ending, isDisputed }]) => ending!.end !== undefined && !isDisputed)
    for (const [partition] of read) this.#stop(partition)
    return new Map(read.map(([partition, replica]) => [partition, recoveredOf(replica, identityOf(partition))]))
  }

  /** Forgets replicas that are primaries now. */
  forget(partitions: readonly number[]): void {
    for (const partition of partitions) {
      this.#replicas.delete(partition)
      this.#context.changes.lags.forget(partition)
    }
  }

  /** Takes partitions out of the map, and makes room to read them from the start. */
  async empty(partitions: readonly number[]): Promise<void> {
    const { map, flusher, stats, snapshots, strangers } = this.#context
    this.forget(partitions)
    for (const partition of partitions) {
      this.#stop(partition)
      setPartitionState(stats, partition, 'recovering')
      await snapshots?.leave(partition)
      map.remove(partition)
    }
    await flusher.flush()
    for (const partition of partitions) {
      map.add(partition)
      strangers?.begins(partition)
    }
    this.#emptied()
  }
}
