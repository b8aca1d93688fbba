/** A producer that continues through every fault: updates and deletes of a fixed set of keys, each value unique. */
import type { Producer } from 'kafkajs'
import { deadline } from '../../../lib/deadline.ts'
import { kafkaClient } from '../kafka/index.ts'
import type { Random } from '../random.ts'
import { LastingProducer } from './lasting-producer.ts'

export interface WorkloadOptions {
  /** How many keys there are. */
  keys: number
  recordsPerSend: number
  pauseMs: number
  /** Part of the records that delete their key. */
  deletes: number
}

const optionsDefault: WorkloadOptions = { keys: 150, recordsPerSend: 20, pauseMs: 8, deletes: 0.15 }

const closeLimitMs = 2_000
/** How long a silent broker holds up the workload. */
const requestTimeoutMs = 2_000

export class Workload {
  readonly keys: readonly string[]
  readonly #producer: LastingProducer
  readonly #options: WorkloadOptions
  readonly #random: Random
  #running: Promise<void> | undefined
  #stopping = false
  #counter = 0

  /** @param bootstrap of the brokers themselves, now: the proxy's faults are not for this producer */
  constructor(
    bootstrap: string | (() => string),
    topic: string,
    random: Random,
    options: Partial<WorkloadOptions> = {},
  ) {
    this.#options = { ...optionsDefault, ...options }
    this.#random = random
    this.keys = Array.from({ length: this.#options.keys }, (_, index) => `key-${index}`)
    const isOne = typeof bootstrap === 'string'
    this.#producer = new LastingProducer(topic, () => producerOf(isOne ? bootstrap : bootstrap(), isOne))
  }

  /** Records that were written. */
  get written(): number {
    return this.#producer.written
  }

  start(): void {
    this.#stopping = false
    this.#running = this.#run()
  }

  /** Resolves when the last record is written. */
  async stop(): Promise<void> {
    this.#stopping = true
    await this.#running
  }

  send(records: readonly (readonly [key: string, value: string | null])[]): Promise<void> {
    return this.#producer.send(records)
  }

  /** Writes to every partition, under separate keys that are never looked up. */
  async sendEverywhere(): Promise<void> {
    await this.send(Array.from({ length: 40 }, (_, index) => [`filler-${index}`, this.nextValue('filler')]))
  }

  /** Stops it permanently; does not wait for a broker that is down. */
  async close(): Promise<void> {
    this.#stopping = true
    this.#producer.giveUp()
    const ended = this.#running?.catch(() => {}) ?? Promise.resolve()
    await deadline(ended, closeLimitMs, () => undefined)
    await this.#producer.disconnect()
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      const { recordsPerSend, deletes, pauseMs } = this.#options
      const records = Array.from({ length: recordsPerSend }, () => {
        const key = this.#random.pick(this.keys)
        return [key, this.#random.next() < deletes ? null : this.nextValue(key)] as const
      })
      await this.send(records)
      await Bun.sleep(pauseMs)
    }
  }

  /** One that no record has had before. */
  nextValue(key: string): string {
    return JSON.stringify({ key, n: this.#counter++ })
  }
}

/** One broker is waited for. Of several, another may be the one to ask. */
function producerOf(bootstrap: string, isOne: boolean): Producer {
  const retry = { initialRetryTime: 50, maxRetryTime: 300, retries: isOne ? 1_000 : 2 }
  return kafkaClient({ bootstrap }, { retry, ...(!isOne && { requestTimeout: requestTimeoutMs }) }).producer({ retry })
}
