/**
 * Checks the changelog while nothing is written to it, so that a loss is detected before the next record. Requests the
 * end of each partition every few seconds, and watches the producer's metadata for a recreated topic and for leader
 * changes.
 */
import type { KafkaClient } from '../../kafka/client.ts'
import { EndsWatch } from '../../kafka/ends-watch.ts'
import type { OffsetRange } from '../../kafka/producer-sink.ts'

const intervalMsDefault = 5_000

export interface ChangelogWatchSink {
  partitions(): readonly number[]
  /** Offset up to which a partition was written; -1 for a partition that is lost. */
  written(partition: number): number
  /** Called if a partition ends below the offset that was written before the request. */
  endsEarly(partition: number): void
  /** Called if a partition that is not being written ends above what was written. */
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
        // Batches acknowledged while the request is in flight may be missing in the response.
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

  /** Sends the requests now. Resolves when they are sent. */
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
