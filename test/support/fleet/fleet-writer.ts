/** Writes while a fleet is under faults: every value unique; keys that always have a value, and keys that come and go. */
import type { PartitionerArgs, Producer } from 'kafkajs'
import { deadline } from '../../../lib/deadline.ts'
import { LastingProducer } from '../fault-run/lasting-producer.ts'
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
  /** Partition of a key, of so many; that of Kafka's default partitioner without it. */
  place: ((key: string, partitions: number) => number) | undefined
}

const optionsDefault: WriterOptions = {
  lasting: 1_000,
  passing: 100,
  rate: 200,
  deletes: 0.4,
  valueBytes: 0,
  place: undefined,
}
const loadBatch = 5_000
/** A broker takes no batch of more than 1 MiB of a partition. */
const loadBytes = 4 << 20
const tickMs = 20
const requestTimeoutMs = 2_000
const closeMs = 3_000
/** Within it, a producer that places its keys itself knows of new partitions. */
const growthMs = 500

export class FleetWriter {
  readonly lasting: readonly string[]
  readonly passing: readonly string[]
  readonly #random: Random
  readonly #options: WriterOptions
  readonly #producer: LastingProducer
  #counter = 0
  #running: Promise<void> | undefined
  #stopping = false

  /** @param bootstrap addresses that answer now */
  constructor(bootstrap: () => string, topic: string, random: Random, options: Partial<WriterOptions> = {}) {
    this.#options = { ...optionsDefault, ...options }
    this.#random = random
    this.lasting = Array.from({ length: this.#options.lasting }, (_, index) => `lasting-${index}`)
    this.passing = Array.from({ length: this.#options.passing }, (_, index) => `passing-${index}`)
    this.#producer = new LastingProducer(topic, () => producerOf(bootstrap(), this.#options.place))
  }

  /** Records that Kafka has acknowledged. */
  get written(): number {
    return this.#producer.written
  }

  /** Writes every lasting key once. */
  async load(): Promise<void> {
    const batch = Math.max(1, Math.min(loadBatch, Math.floor(loadBytes / Math.max(1, this.#options.valueBytes))))
    for (let from = 0; from < this.lasting.length; from += batch) {
      await this.#producer.send(this.lasting.slice(from, from + batch).map((key) => [key, this.#nextValue(key)]))
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
  }

  async close(): Promise<void> {
    this.#stopping = true
    this.#producer.giveUp()
    const ended = this.#running?.catch(() => {}) ?? Promise.resolve()
    await deadline(ended, closeMs, () => undefined)
    await this.#producer.disconnect().catch(() => {})
  }

  async #run(): Promise<void> {
    let due = performance.now()
    while (!this.#stopping) {
      // What an outage has held up is not caught up with.
      due = Math.max(due + tickMs, performance.now() - tickMs)
      const count = Math.max(1, Math.round((this.#options.rate * tickMs) / 1_000))
      await this.#producer.send(Array.from({ length: count }, () => this.#record()))
      await Bun.sleep(Math.max(0, due - performance.now()))
    }
  }

  #record(): readonly [string, string | null] {
    const { passing, deletes } = this.#options
    const isPassing = passing > 0 && (this.lasting.length === 0 || this.#random.next() < 0.3)
    const key = this.#random.pick(isPassing ? this.passing : this.lasting)
    return [key, isPassing && this.#random.next() < deletes ? null : this.#nextValue(key)]
  }

  /** One that no record has had before. */
  #nextValue(key: string): string {
    const start = `{"key":"${key}","n":${this.#counter++}`
    const { valueBytes } = this.#options
    return start.length + 1 >= valueBytes ? `${start}}` : `${start},"fill":"${'x'.repeat(valueBytes - start.length)}"}`
  }
}

function producerOf(bootstrap: string, place: WriterOptions['place']): Producer {
  const retry = { initialRetryTime: 50, maxRetryTime: 300, retries: 3 }
  return kafkaClient({ bootstrap }, { retry, requestTimeout: requestTimeoutMs }).producer({
    retry,
    ...(place && {
      metadataMaxAge: growthMs,
      createPartitioner: () => (of: PartitionerArgs) => place(String(of.message.key), of.partitionMetadata.length),
    }),
  })
}
