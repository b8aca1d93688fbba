/**
 * Asks where partitions end, again and again, where nothing else says so: a Fetch does as long as there is one, a partition that is not fetched or
 * only written has nobody to ask. Each broker is asked by itself, so that one that does not answer holds up nothing about the others.
 */
import { LatchkeyError } from '../errors.ts'
import { type KafkaClient } from './client.ts'
import { offsetsAt } from './offsets.ts'

const intervalMsDefault = 2_000

export interface EndsSink {
  /** Those to ask about now. */
  partitions(): readonly number[]
  /** @param askedAt when the question was sent (ms since the epoch): what came from elsewhere since is newer */
  ended(partition: number, end: number, askedAt: number): void
}

export class EndsWatch {
  readonly #client: KafkaClient
  readonly #topic: string
  readonly #sink: EndsSink
  readonly #timer: ReturnType<typeof setInterval>
  /** Partitions whose broker has yet to answer. */
  readonly #asked = new Set<number>()
  #isLooking = false

  constructor(client: KafkaClient, topic: string, sink: EndsSink, intervalMs = intervalMsDefault) {
    this.#client = client
    this.#topic = topic
    this.#sink = sink
    this.#timer = setInterval(() => void this.look(), intervalMs)
  }

  /** Asks now. Resolves when the questions are sent. */
  async look(): Promise<void> {
    if (this.#isLooking) return
    const partitions = this.#sink.partitions().filter((partition) => !this.#asked.has(partition))
    if (partitions.length === 0) return
    this.#isLooking = true
    try {
      const byNode = await this.#client.leaders(this.#topic, partitions)
      for (const [node, led] of byNode) void this.#ask(node, led)
    } catch (error) {
      mayFail(error)
    } finally {
      this.#isLooking = false
    }
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  async #ask(node: number, partitions: readonly number[]): Promise<void> {
    const askedAt = Date.now()
    for (const partition of partitions) this.#asked.add(partition)
    try {
      for (const { partition, errorCode, offset } of await offsetsAt(
        this.#client,
        node,
        this.#topic,
        partitions,
        'latest',
      )) {
        if (errorCode === 0) this.#sink.ended(partition, offset, askedAt)
      }
    } catch (error) {
      mayFail(error)
    } finally {
      for (const partition of partitions) this.#asked.delete(partition)
    }
  }
}

/** A broker that cannot be asked is named by those that have to write or fetch there. */
function mayFail(error: unknown): void {
  if (!(error instanceof LatchkeyError)) throw error
}
