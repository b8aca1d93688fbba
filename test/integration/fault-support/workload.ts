/** A producer that goes on whatever happens: updates and deletes of a fixed set of keys, every value its own. */
import type { Producer } from 'kafkajs'
import { kafkaClient } from '../../kafka/index.ts'
import type { Random } from './random.ts'

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

export class Workload {
  readonly keys: readonly string[]
  /** Records that were written. */
  written = 0
  readonly #producer: Producer
  readonly #topic: string
  readonly #options: WorkloadOptions
  readonly #random: Random
  #running: Promise<void> | undefined
  #stopping = false
  #counter = 0

  /** @param bootstrap of the broker itself: the proxy's faults are not for this producer */
  constructor(bootstrap: string, topic: string, random: Random, options: Partial<WorkloadOptions> = {}) {
    this.#options = { ...optionsDefault, ...options }
    this.#topic = topic
    this.#random = random
    this.keys = Array.from({ length: this.#options.keys }, (_, index) => `key-${index}`)
    // It outlives a broker that is down for a while. A repeat after a lost answer is one more record of the source, which the oracle reads.
    const retry = { initialRetryTime: 50, maxRetryTime: 300, retries: 1_000 }
    this.#producer = kafkaClient({ bootstrap }, { retry }).producer({ retry })
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

  /** Writes these records, one after another. */
  async send(records: readonly (readonly [key: string, value: string | null])[]): Promise<void> {
    await this.#producer.connect()
    const messages = records.map(([key, value]) => ({ key, value }))
    await this.#producer.send({ topic: this.#topic, messages })
    this.written += records.length
  }

  /** Writes to every partition, under keys of its own that are never looked up. */
  async sendEverywhere(): Promise<void> {
    await this.send(Array.from({ length: 40 }, (_, index) => [`filler-${index}`, this.#value('filler')]))
  }

  /** Stops it for good; does not wait for a broker that is down. */
  async close(): Promise<void> {
    this.#stopping = true
    await Promise.race([this.#running?.catch(() => {}), Bun.sleep(closeLimitMs)])
    await this.#producer.disconnect()
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      const { recordsPerSend, deletes, pauseMs } = this.#options
      const records = Array.from({ length: recordsPerSend }, () => {
        const key = this.#random.pick(this.keys)
        return [key, this.#random.next() < deletes ? null : this.#value(key)] as const
      })
      await this.send(records)
      await Bun.sleep(pauseMs)
    }
  }

  #value(key: string): string {
    return JSON.stringify({ key, n: this.#counter++ })
  }
}
