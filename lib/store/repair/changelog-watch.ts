/**
 * Looks at the changelog where nothing is written, so that a loss does not wait for the next record: where each partition ends, every few seconds; and, as the
 * producer's metadata show it, that the topic was recreated or a partition has another leader.
 */
import { LatchkeyError } from '../../errors.ts'
import { type KafkaClient } from '../../kafka/client.ts'
import { offsetsAt } from '../../kafka/offsets.ts'
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
  readonly #client: KafkaClient
  readonly #topic: string
  readonly #sink: ChangelogWatchSink
  readonly #timer: ReturnType<typeof setInterval>
  readonly #unwatch: () => void
  /** Brokers that have yet to answer: the others are asked without them. */
  readonly #asked = new Set<number>()
  #isLooking = false

  constructor(client: KafkaClient, topic: string, sink: ChangelogWatchSink, intervalMs = intervalMsDefault) {
    this.#client = client
    this.#topic = topic
    this.#sink = sink
    this.#timer = setInterval(() => void this.look(), intervalMs)
    this.#unwatch = client.topics.watch(topic, {
      recreated: () => sink.recreated(),
      elected: (partition) => sink.elected(partition),
    })
  }

  /** Asks now. Resolves when the questions are sent. */
  async look(): Promise<void> {
    if (this.#isLooking) return
    this.#isLooking = true
    try {
      const byNode = await this.#client.leaders(this.#topic, this.#sink.partitions())
      for (const [node, led] of byNode) if (!this.#asked.has(node)) void this.#ask(node, led)
    } catch (error) {
      mayFail(error)
    } finally {
      this.#isLooking = false
    }
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#unwatch()
  }

  async #ask(node: number, partitions: readonly number[]): Promise<void> {
    // As of now: what is acknowledged while the question is under way may be missing in its answer.
    const written = new Map(partitions.map((partition) => [partition, this.#sink.written(partition)]))
    this.#asked.add(node)
    try {
      const ends = await offsetsAt(this.#client, node, this.#topic, partitions, 'latest', 'read_uncommitted')
      for (const { partition, errorCode, offset } of ends) {
        const from = written.get(partition)!
        if (errorCode !== 0) continue
        if (offset < from) this.#sink.endsEarly(partition)
        else if (from >= 0 && offset > from && this.#sink.written(partition) === from) {
          this.#sink.endsLate(partition, { from, to: offset })
        }
      }
    } catch (error) {
      mayFail(error)
    } finally {
      this.#asked.delete(node)
    }
  }
}

/** A broker that does not answer is reported where it is written to. */
function mayFail(error: unknown): void {
  if (!(error instanceof LatchkeyError)) throw error
}
