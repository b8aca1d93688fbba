import type { Message, Producer } from 'kafkajs'

/** Writes to a topic through every fault. A producer of kafkajs asks a silent broker forever, even after a new election: one that failed is replaced. */
export class LastingProducer {
  /** Records that were written. */
  written = 0
  readonly #topic: string
  readonly #newProducer: () => Producer
  #producer: Producer
  #closing = false

  constructor(topic: string, newProducer: () => Producer) {
    this.#topic = topic
    this.#newProducer = newProducer
    this.#producer = newProducer()
  }

  /**
   * Writes these records, one after another. It outlives a broker that is down for a while. A repeat after a lost answer is one more record of
   * the source, which the oracle reads.
   */
  async send(records: readonly (readonly [key: string, value: string | null])[]): Promise<void> {
    const messages = records.map(([key, value]) => ({ key, value }))
    for (let isWritten = false; !isWritten;) isWritten = await this.#trySend(messages)
    this.written += records.length
  }

  /** From now on what fails is not repeated, and rejects. */
  giveUp(): void {
    this.#closing = true
  }

  async disconnect(): Promise<void> {
    await this.#producer.disconnect()
  }

  async #trySend(messages: Message[]): Promise<boolean> {
    try {
      await this.#producer.connect()
      await this.#producer.send({ topic: this.#topic, messages })
      return true
    } catch (error) {
      if (this.#closing) throw error
      void this.#producer.disconnect().catch(() => {})
      this.#producer = this.#newProducer()
      return false
    }
  }
}
