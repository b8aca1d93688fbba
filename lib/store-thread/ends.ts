/** Where partitions end, as the figures show it: by each Fetch, and by a question where no Fetch says so. */
import { type Stats } from '../store-protocol/stats.ts'
import { type KafkaClient } from '../kafka/client.ts'
import { EndsWatch } from '../kafka/ends-watch.ts'

/** What has not been heard of for as long stands still. */
const heardMs = 2_000

/** A Fetch has said where a partition ends. */
export function setEnd(stats: Stats, partition: number, end: number): void {
  stats.setGauge(partition, 'end', end)
  stats.setGauge(partition, 'endKnownAt', Date.now())
}

/** Keeps the ends of partitions true that are not fetched now: their broker does not answer, or there is no room for what they have. */
export function watchEnds(
  client: KafkaClient,
  topic: string,
  partitions: readonly number[],
  stats: Stats,
  intervalMs?: number,
): EndsWatch<number> {
  const sink = {
    partitions: () => partitions.filter((partition) => Date.now() - stats.gauge(partition, 'endKnownAt') >= heardMs),
    asked: () => Date.now(),
    ended(partition: number, end: number, askedAt: number) {
      if (stats.gauge(partition, 'endKnownAt') <= askedAt) setEnd(stats, partition, end)
    },
  }
  return new EndsWatch(client, topic, sink, { intervalMs })
}
