/** Detects that the topic has more partitions than when the store started. */
import { LatchkeyError } from '../errors.ts'
import type { KafkaClient } from '../kafka/client.ts'

export class GrowthWatch {
  readonly #timer: ReturnType<typeof setInterval>
  readonly #known: number

  /**
   * @param grown called with the new number after each look that finds more partitions, so that a receiver that is not
   *   ready is called again
   */
  constructor(
    client: KafkaClient,
    topic: string,
    known: number,
    intervalMs: number,
    grown: (partitionCount: number) => void,
  ) {
    this.#known = known
    this.#timer = setInterval(() => {
      this.#look(client, topic, grown).catch((error) => {
        // Other components report that Kafka does not answer. The next look is soon.
        if (!(error instanceof LatchkeyError)) throw error
      })
    }, intervalMs)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  async #look(client: KafkaClient, topic: string, grown: (partitionCount: number) => void): Promise<void> {
    const [found] = await client.metadata([topic])
    const count = found?.errorCode === 0 ? found.partitions.length : 0
    if (count > this.#known) grown(count)
  }
}
