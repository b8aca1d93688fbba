/** What a store should show: the last value of each key, straight from a topic. */
import { readLog } from '../store/topic-log.ts'
import type { TopicContent, TopicRecord } from './history.ts'

/** All that a consumer can see of a topic now, partition by partition, in the order of the log. Keys and values are UTF-8. */
export async function readTopic(bootstrap: string, topic: string): Promise<TopicContent> {
  const { records, batches } = await readLog(bootstrap, topic)
  return {
    records: records.flatMap(({ partition, offset, key, value, src, aft }) =>
      key === null ? [] : [{ partition, offset, key: utf8(key), value: value === null ? null : utf8(value), src, aft }],
    ),
    markers: batches
      .filter(({ kind }) => kind === 'control')
      .map(({ partition, baseOffset, timestamp }) => ({ partition, offset: baseOffset, timestamp })),
    writings: batches.map(({ partition, baseOffset, producerId, producerEpoch }) => {
      return { partition, offset: baseOffset, producerId, epoch: producerEpoch }
    }),
  }
}

function utf8(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString()
}

/** The last value of every key that a topic's records name; null where that is a tombstone. */
export function fold(records: readonly TopicRecord[]): Map<string, string | null> {
  const values = new Map<string, string | null>()
  for (const { key, value } of records) values.set(key, value)
  return values
}
