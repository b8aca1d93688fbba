/**
 * Verifies positions that a broker reports as out of range. The broker may be behind, or wrong, and the reaction to a
 * lost position cannot be undone. So both ends of the log are checked first, and a position past the end is fetched
 * again.
 */
import type { KafkaClient } from './client.ts'
import { listOffsets } from './offsets.ts'

/** Compares an offset with both ends of the log. The end itself, where the next record will be, counts as inside. */
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

/** Consecutive times that a position must be past the end. */
const timesMin = 3

export class OutOfRange {
  readonly #client: KafkaClient
  readonly #topic: string
  readonly #pastEnd = new Map<number, { position: number; times: number }>()

  constructor(client: KafkaClient, topic: string) {
    this.#client = client
    this.#topic = topic
  }

  /** @returns whether the position is not in the log; if false, fetch from it again after a pause */
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
