/** Writes while a fleet is under faults: every value unique; keys that always have a value, and keys that come and go. */
import type { Message, Producer } from 'kafkajs'
import { kafkaClient } from '../kafka/index.ts'
import type { Random } from '../random.ts'

export interface WriterOptions {
  /** Keys that have a value from `load` on, and keep one. */
  lasting: number
  /** Keys that are deleted now and then. */
  passing: number
  /** Records a second. */
  rate: number
  /** Part of the records of passing keys that delete. */
  deletes: number
  /** At least so long is each value. */
  valueBytes: number
}

const optionsDefault: WriterOptions = { lasting: 1_000, passing: 100, rate: 200, deletes: 0.4, valueBytes: 0 }
const loadBatch = 5_000
const tickMs = 20
const requestTimeoutMs = 2_000
const closeMs = 3_000

export class FleetWriter {
  readonly lasting: readonly string[]
  readonly passing: readonly string[]
  /** Records that Kafka has acknowledged. */
  written = 0
  readonly #bootstrap: () => string
  readonly #topic: string
  readonly #random: Random
  readonly #options: WriterOptions
  #producer: Producer
  #counter = 0
  #running: Promise<void> | undefined
  #stopping = false

  /** @param bootstrap addresses that answer now */
  constructor(bootstrap: () => string, topic: string, random: Random, options: Partial<WriterOptions> = {}) {
    this.#options = { ...optionsDefault, ...options }
    this.#bootstrap = bootstrap
    this.#topic = topic
    this.#random = random
    this.lasting = Array.from({ length: this.#options.lasting }, (_, index) => `lasting-${index}`)
    this.passing = Array.from({ length: this.#options.passing }, (_, index) => `passing-${index}`)
    this.#producer = this.#newProducer()
  }

  get keys(): string[] {
    return [...this.lasting, ...this.passing]
  }

  /** Writes every lasting key once. */
  async load(): Promise<void> {
    for (let from = 0; from < this.lasting.length; from += loadBatch) {
      await this.send(this.lasting.slice(from, from + loadBatch).map((key) => [key, this.nextValue(key)]))
    }
  }

  start(): void {
    this.#stopping = false
    this.#running = this.#run()
  }

  /** Resolves when the last record is written. */
  async stop(): Promise<void> {
    this.#stopping = true
    await this.#running
    this.#running = undefined
  }

  /** Outlives brokers that are down. What is repeated after a lost answer is one more record of the source, which the oracle reads. */
  async send(records: readonly (readonly [key: string, value: string | null])[]): Promise<void> {
    const messages: Message[] = records.map(([key, value]) => ({ key, value }))
    for (let isWritten = false; !isWritten;) isWritten = await this.#trySend(messages)
    this.written += records.length
  }

  /** One that no record has had before. */
  nextValue(key: string): string {
    const start = `{"key":"${key}","n":${this.#counter++}`
    const { valueBytes } = this.#options
    return start.length + 1 >= valueBytes ? `${start}}` : `${start},"fill":"${'x'.repeat(valueBytes - start.length)}"}`
  }

  async close(): Promise<void> {
    this.#stopping = true
    await Promise.race([this.#running?.catch(() => {}), Bun.sleep(closeMs)])
    await this.#producer.disconnect().catch(() => {})
  }

  async #trySend(messages: Message[]): Promise<boolean> {
    try {
      await this.#producer.connect()
      await this.#producer.send({ topic: this.#topic, messages })
      return true
    } catch (error) {
      if (this.#stopping && this.#running === undefined) throw error
      // A producer of kafkajs asks a silent broker forever.
      void this.#producer.disconnect().catch(() => {})
      this.#producer = this.#newProducer()
      return false
    }
  }

  async #run(): Promise<void> {
    let due = performance.now()
    while (!this.#stopping) {
      // What an outage has held up is not caught up with.
      due = Math.max(due + tickMs, performance.now() - tickMs)
      const count = Math.max(1, Math.round((this.#options.rate * tickMs) / 1_000))
      await this.send(Array.from({ length: count }, () => this.#record()))
      await Bun.sleep(Math.max(0, due - performance.now()))
    }
  }

  #record(): readonly [string, string | null] {
    const { passing, deletes } = this.#options
    const isPassing = passing > 0 && (this.lasting.length === 0 || this.#random.next() < 0.3)
    const key = this.#random.pick(isPassing ? this.passing : this.lasting)
    return [key, isPassing && this.#random.next() < deletes ? null : this.nextValue(key)]
  }

  #newProducer(): Producer {
    const retry = { initialRetryTime: 50, maxRetryTime: 300, retries: 3 }
    return kafkaClient({ bootstrap: this.#bootstrap() }, { retry, requestTimeout: requestTimeoutMs }).producer({
      retry,
    })
  }
}
