/**
 * Detects that the changelog no longer contains what replicas have read, although it contains their positions: the
 * topic id has changed, or a leader epoch ends before the position up to which it was read. Such a log has grown again,
 * so no Fetch reports the change.
 */
import { LatchkeyError } from '../errors.ts'
import type { KafkaClient } from '../kafka/client.ts'
import type { EpochTrail } from '../kafka/epoch-trail.ts'
import { divergenceOf } from '../kafka/leader-epochs.ts'

export interface ReplicaPosition {
  /** Changelog offset up to which the partition was read. */
  readonly position: number
  readonly epochs: EpochTrail
}

export interface ReplicaWatchSink {
  replicas: ReadonlyMap<number, ReplicaPosition>
  /** The changelog no longer has what was read of a partition. */
  changed(partition: number, found: string): void
  failed(error: unknown): void
}

export class ReplicaWatch {
  readonly #client: KafkaClient
  readonly #topic: string
  readonly #sink: ReplicaWatchSink
  readonly #unwatch: () => void

  constructor(client: KafkaClient, topic: string, sink: ReplicaWatchSink) {
    this.#client = client
    this.#topic = topic
    this.#sink = sink
    this.#unwatch = client.topics.watch(topic, {
      recreated: () => {
        for (const partition of sink.replicas.keys()) sink.changed(partition, 'the topic was recreated')
      },
      elected: (partition) => this.#check(partition, (epochs) => epochs.last),
    })
  }

  /**
   * Called at the first record of a new leader epoch. Checks that the log still has the records of the epochs before.
   */
  epochBegan(partition: number): void {
    this.#check(partition, (epochs) => (epochs.last === undefined ? undefined : epochs.upTo(epochs.last - 1)))
  }

  stop(): void {
    this.#unwatch()
  }

  /** @param asked returns the last epoch whose records must still be in the log */
  #check(partition: number, asked: (epochs: EpochTrail) => number | undefined): void {
    const replica = this.#sink.replicas.get(partition)
    const epoch = replica && asked(replica.epochs)
    if (replica === undefined || epoch === undefined) return
    this.#divergence(partition, replica, epoch).catch((error: unknown) => {
      // A broker that refuses this request has refused others before, and those are reported.
      if (!(error instanceof LatchkeyError)) this.#sink.failed(error)
    })
  }

  async #divergence(partition: number, replica: ReplicaPosition, epoch: number): Promise<void> {
    const client = this.#client
    const { epochs } = replica
    const at = await client.retryForever(() =>
      divergenceOf(client, this.#topic, partition, epochs, epoch, () => replica.position),
    )
    if (at === undefined || at >= replica.position) return
    this.#sink.changed(partition, `it lost what was read of it from offset ${at} on`)
  }
}
