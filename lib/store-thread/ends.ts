/**
 * The log end offset of each partition, as the metrics show it. Each Fetch reports it; ListOffsets requests fill in if
 * no Fetch does.
 */
import type { KafkaClient } from '../kafka/client.ts'
import { EndsWatch } from '../kafka/ends-watch.ts'
import type { Stats } from '../store-protocol/stats.ts'

/** An end offset that was last reported this long ago is out of date. */
const heardMs = 2_000

export interface KnownEnd {
  readonly end: number
  /** When the broker was asked, in ms since the epoch: the end may have moved since. */
  readonly askedAt: number
}

/**
 * Records an end offset. A process may have been stopped between request and answer, so the time is that of the request.
 * An answer to an earlier request, which may come later on another connection, says nothing new.
 */
export function setEnd(stats: Stats, partition: number, { end, askedAt }: KnownEnd): void {
  const knownAt = stats.gauge(partition, 'endKnownAt')
  // One that was asked for in the future is of a clock that was set back.
  if (askedAt < knownAt && knownAt <= Date.now()) return
  putEnd(stats, partition, end, askedAt)
}

/** No broker has said where the partition ends now. @param end to be shown until one does */
export function forgetEnd(stats: Stats, partition: number, end: number): void {
  putEnd(stats, partition, end, 0)
}

function putEnd(stats: Stats, partition: number, end: number, askedAt: number): void {
  stats.setGauge(partition, 'end', end)
  stats.setGauge(partition, 'endKnownAt', askedAt)
}

/**
 * Keeps the end offsets of partitions current that are not fetched, because their broker does not answer or there is no
 * room for their records.
 * @param partitions those that there are at the moment
 */
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
      // It may have left, or have another role: then its end is that of another topic.
      if (partitions.includes(partition)) setEnd(stats, partition, { end, askedAt })
    },
  }
  return new EndsWatch(client, topic, sink, { intervalMs })
}
