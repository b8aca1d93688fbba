/** For how long a partition's changelog stood still while its source was written: what a user would notice of a move. */
import type { KafkaClient } from '../../../lib/kafka/client.ts'
import { listOffsets } from '../../../lib/kafka/offsets.ts'
import { withClient } from '../store/topic-log.ts'

const pollMs = 50

interface Gap {
  partition: number
  from: number
  to: number
}

export class IngestWatch {
  readonly #topic: string
  readonly #partitions: number[]
  readonly #grewAt = new Map<number, number>()
  readonly #ends = new Map<number, number>()
  readonly #gaps: Gap[] = []
  readonly #running: Promise<void>
  #stopping = false

  constructor(direct: string, changelog: string, partitions: number) {
    this.#topic = changelog
    this.#partitions = Array.from({ length: partitions }, (_, partition) => partition)
    this.#running = withClient(direct, (client) => this.#run(client))
  }

  async stop(): Promise<void> {
    this.#stopping = true
    await this.#running
  }

  /** The longest time in milliseconds that a partition stood still, of those that ended at this time of performance.now() or later. */
  longestMs(from = 0): number {
    const ended = this.#gaps.filter((gap) => gap.to >= from)
    return Math.max(0, ...ended.map((gap) => gap.to - gap.from))
  }

  async #run(client: KafkaClient): Promise<void> {
    while (!this.#stopping) {
      // While brokers are away it is known of no partition that it stands still.
      const ends = await listOffsets(client, this.#topic, this.#partitions, 'latest').catch(() => undefined)
      const now = performance.now()
      for (const [partition, end] of ends ?? []) this.#take(partition, end, now)
      await Bun.sleep(pollMs)
    }
  }

  #take(partition: number, end: number, now: number): void {
    if (end === this.#ends.get(partition)) return
    const before = this.#grewAt.get(partition)
    if (before !== undefined) this.#gaps.push({ partition, from: before, to: now })
    this.#ends.set(partition, end)
    this.#grewAt.set(partition, now)
  }
}
