/**
 * Looks at the changelog where nothing is written, so that a loss does not wait for the next record: where each partition ends, every few seconds; and, as the
 * producer's metadata show it, that the topic was recreated or a partition has another leader.
 */
import { type KafkaClient } from '../../kafka/client.ts'
import { EndsWatch } from '../../kafka/ends-watch.ts'
import { type OffsetRange } from '../../kafka/producer-sink.ts'

const intervalMsDefault = 5_000

export interface ChangelogWatchSink {
  partitions(): readonly number[]
  /** Offset up to which a partition was written; -1 for one that is lost. */
  written(partition: number): number
  /** A partition ended below what was written before it was asked. */
  endsEarly(partition: number): void
  /** A partition that is not written now ends above what was written. */
  endsLate(partition: number, range: OffsetRange): void
  recreated(): void
  elected(partition: number): void
}

export class ChangelogWatch {
  readonly #sink: ChangelogWatchSink
  readonly #ends: EndsWatch<number>
  readonly #unwatch: () => void

  constructor(client: KafkaClient, topic: string, sink: ChangelogWatchSink, intervalMs = intervalMsDefault) {
    this.#sink = sink
    this.#ends = new EndsWatch(
      client,
      topic,
      {
        partitions: () => sink.partitions(),
        // What is acknowledged while the question is under way may be missing in its answer.
        asked: (partition) => sink.written(partition),
        ended: (partition, end, written) => this.#ended(partition, end, written),
      },
      { intervalMs, isolation: 'read_uncommitted' },
    )
    this.#unwatch = client.topics.watch(topic, {
      recreated: () => sink.recreated(),
      elected: (partition) => sink.elected(partition),
    })
  }

  /** Asks now. Resolves when the questions are sent. */
  look(): Promise<void> {
    return this.#ends.look()
  }

  stop(): void {
    this.#ends.stop()
    this.#unwatch()
  }

  #ended(partition: number, end: number, from: number): void {
    if (end < from) this.#sink.endsEarly(partition)
    else if (from >= 0 && end > from && this.#sink.written(partition) === from) {
      this.#sink.endsLate(partition, { from, to: end })
    }
  }
}
