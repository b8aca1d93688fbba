import type { Cluster } from '../kafka/topic-admin.ts'
import { until } from '../until.ts'
import { fold, readLog } from './topic-log.ts'

/** The next write begins a new segment, and what lies before it is compacted at once. */
export const compacting: Record<string, string> = {
  'cleanup.policy': 'compact',
  'segment.ms': '1',
  'min.cleanable.dirty.ratio': '0',
  'max.compaction.lag.ms': '1',
}
const fillerKey = 'compaction'

/**
 * Resolves when every key of the topic's partition 0 stands only once in what it holds now. Leaves the topic compacting as before, and a
 * tombstone of a separate key.
 */
export async function compact(cluster: Cluster, topic: string): Promise<void> {
  const read = () => readLog(cluster.broker.direct, topic)
  const before = (await read()).records
  const lastOffset = before.at(-1)?.offset ?? -1
  const keys = fold(before).size
  await cluster.configure(topic, compacting)
  await until(`${topic} is compacted`, async () => {
    // Settings may count later than a first write; then another one is needed.
    await cluster.produce(topic, [{ key: fillerKey, value: null }])
    const { records } = await read()
    return records.filter(({ offset }) => offset <= lastOffset).length <= keys
  })
  await cluster.configure(topic, { 'segment.ms': '604800000', 'min.cleanable.dirty.ratio': '0.5' })
}
