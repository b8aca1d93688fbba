import type { Producer } from 'kafkajs'
import { type KafkaBroker, kafkaClient } from '../support/kafka/index.ts'
import { OrderBook, type OrderRecord } from './orders.ts'

const sampleOrders = 3_000
const sampleSteps = 9_000
const batchRecords = 500
const slowFeedMs = 1_000
const slowFeedSteps = 3

/** Writes orders into a topic: a sample at once, then a few a second. */
export class Feed {
  readonly book = new OrderBook()
  /** Records written so far. */
  written = 0
  readonly #topic: string
  readonly #producer: Producer
  #timer: Timer | undefined
  #sending: Promise<unknown> = Promise.resolve()

  static async open(broker: KafkaBroker, topic: string): Promise<Feed> {
    const producer = kafkaClient(broker, { clientId: 'demo' }).producer()
    await producer.connect()
    return new Feed(topic, producer)
  }

  private constructor(topic: string, producer: Producer) {
    this.#topic = topic
    this.#producer = producer
  }

  async writeSample(): Promise<void> {
    const records: OrderRecord[] = []
    for (let placed = 0; placed < sampleOrders; placed++) {
      records.push(this.book.place())
      for (let step = 0; step < sampleSteps / sampleOrders; step++) records.push(this.book.advance())
    }
    for (let from = 0; from < records.length; from += batchRecords) {
      await this.write(records.slice(from, from + batchRecords))
    }
  }

  keepWriting(): void {
    this.#timer = setInterval(() => {
      const records = [this.book.place(), ...Array.from({ length: slowFeedSteps }, () => this.book.advance())]
      this.#sending = this.write(records).catch((error) => console.error(`Writing orders: ${error.message}`))
    }, slowFeedMs)
  }

  async write(messages: OrderRecord[]): Promise<void> {
    await this.#producer.send({ topic: this.#topic, messages })
    this.written += messages.length
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#sending
    await this.#producer.disconnect()
  }
}
