/**
 * Polls the end offsets of partitions that no Fetch reports: partitions that are not fetched, or only written. Each
 * broker is polled separately, so a broker that does not answer does not delay the others.
 */
import { LatchkeyError } from '../errors.ts'
import type { Isolation } from '../store-protocol/client-config.ts'
import type { KafkaClient } from './client.ts'
import { offsetsAt } from './offsets.ts'

const intervalMsDefault = 2_000

export interface EndsSink<Asked> {
  /** Returns the partitions to poll now. */
  partitions(): readonly number[]
  /** Returns the caller's state when the request is sent. ended() receives it and can see what has changed since. */
  asked(partition: number): Asked
  ended(partition: number, end: number, asked: Asked): void
}

export interface EndsOptions {
  intervalMs?: number | undefined
  /** Which end to ask for; by default that of the client. */
  isolation?: Isolation
}

export class EndsWatch<Asked> {
  readonly #client: KafkaClient
  readonly #topic: string
  readonly #sink: EndsSink<Asked>
  readonly #isolation: Isolation
  readonly #timer: ReturnType<typeof setInterval>
  /** Nodes with a pending request. */
  readonly #asked = new Set<number>()
  #isLooking = false

  constructor(client: KafkaClient, topic: string, sink: EndsSink<Asked>, options: EndsOptions = {}) {
    this.#client = client
    this.#topic = topic
    this.#sink = sink
    this.#isolation = options.isolation ?? client.isolation
    this.#timer = setInterval(() => void this.look(), options.intervalMs ?? intervalMsDefault)
  }

  /** Polls now. Resolves when the requests are sent. */
  async look(): Promise<void> {
    if (this.#isLooking) return
    const partitions = this.#sink.partitions()
    if (partitions.length === 0) return
    this.#isLooking = true
    try {
      const byNode = await this.#client.leaders(this.#topic, partitions)
      for (const [node, led] of byNode) if (!this.#asked.has(node)) void this.#ask(node, led)
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
    const asked = new Map(partitions.map((partition) => [partition, this.#sink.asked(partition)]))
    this.#asked.add(node)
    try {
      const found = await offsetsAt(this.#client, node, this.#topic, partitions, 'latest', this.#isolation)
      for (const { partition, errorCode, offset } of found) {
        if (errorCode === 0 && asked.has(partition)) this.#sink.ended(partition, offset, asked.get(partition)!)
      }
    } catch (error) {
      mayFail(error)
    } finally {
      this.#asked.delete(node)
    }
  }
}

/** Ignores Kafka errors. The code that writes to or fetches from the broker reports them. */
function mayFail(error: unknown): void {
  if (!(error instanceof LatchkeyError)) throw error
}
