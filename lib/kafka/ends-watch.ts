/**
 * Asks where partitions end, again and again, where nothing else says so: a Fetch does as long as there is one, a partition that is not fetched or
 * only written has nobody to ask. Each broker is asked by itself, so that one that does not answer holds up nothing about the others.
 */
import { LatchkeyError } from '../errors.ts'
import { type Isolation } from '../store-protocol/client-config.ts'
import { type KafkaClient } from './client.ts'
import { offsetsAt } from './offsets.ts'

const intervalMsDefault = 2_000

export interface EndsSink<Asked> {
  /** Those to ask about now. */
  partitions(): readonly number[]
  /** The state when the question is sent. ended() gets it with the answer, and sees what has changed since. */
  asked(partition: number): Asked
  ended(partition: number, end: number, asked: Asked): void
}

export interface EndsOptions {
  intervalMs?: number | undefined
  /** Of the end that is meant; the client's by default. */
  isolation?: Isolation
}

export class EndsWatch<Asked> {
  readonly #client: KafkaClient
  readonly #topic: string
  readonly #sink: EndsSink<Asked>
  readonly #isolation: Isolation
  readonly #timer: ReturnType<typeof setInterval>
  /** Brokers that have yet to answer. */
  readonly #asked = new Set<number>()
  #isLooking = false

  constructor(client: KafkaClient, topic: string, sink: EndsSink<Asked>, options: EndsOptions = {}) {
    this.#client = client
    this.#topic = topic
    this.#sink = sink
    this.#isolation = options.isolation ?? client.isolation
    this.#timer = setInterval(() => void this.look(), options.intervalMs ?? intervalMsDefault)
  }

  /** Asks now. Resolves when the questions are sent. */
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

/** A broker that cannot be asked is named by those that have to write or fetch there. */
function mayFail(error: unknown): void {
  if (!(error instanceof LatchkeyError)) throw error
}
