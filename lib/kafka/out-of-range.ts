/**
 * Positions that a broker says are out of its log. It may be behind, or wrong: what follows from a position that is gone cannot be taken back, so both ends
 * are looked at before it is believed, and a position past the end is asked for again.
 */
import { type KafkaClient } from './client.ts'
import { listOffsets } from './offsets.ts'

/** Where an offset is by both ends of the log; the end itself, where the next record will be, is inside. */
export async function placeInLog(
  client: KafkaClient,
  topic: string,
  partition: number,
  offset: number,
): Promise<'before' | 'inside' | 'past'> {
  const [starts, ends] = await Promise.all([
    listOffsets(client, topic, [partition], 'earliest'),
    listOffsets(client, topic, [partition], 'latest', 'read_uncommitted'),
  ])
  if (offset < starts.get(partition)!) return 'before'
  return offset > ends.get(partition)! ? 'past' : 'inside'
}

/** So often in a row has a position to be past the end. */
const timesMin = 3

export class OutOfRange {
  readonly #client: KafkaClient
  readonly #topic: string
  readonly #pastEnd = new Map<number, { position: number; times: number }>()

  constructor(client: KafkaClient, topic: string) {
    this.#client = client
    this.#topic = topic
  }

  /** @returns whether a position is not in the log indeed; else it is to be fetched from again, after a pause */
  async isSure(partition: number, position: number): Promise<boolean> {
    const place = await placeInLog(this.#client, this.#topic, partition, position)
    const before = this.#pastEnd.get(partition)
    this.#pastEnd.delete(partition)
    if (place !== 'past') return place === 'before'
    const times = before?.position === position ? before.times + 1 : 1
    if (times < timesMin) this.#pastEnd.set(partition, { position, times })
    return times >= timesMin
  }
}
