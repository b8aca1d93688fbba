/** A changelog that has lost its tail: what an unclean leader election leaves, on a cluster of one broker. */
import { createTopic } from '../kafka/index.ts'
import { headerOf } from '../kafka/record-batch/raw-batch.ts'
import type { Fixture } from './fixture.ts'

/** Deletes the changelog and creates it again with the first `count` of its records. The store must have nothing to write meanwhile. */
export async function cutChangelog(fixture: Fixture, count: number): Promise<void> {
  const { records } = await fixture.readChangelog()
  await fixture.cluster.deleteTopic(fixture.changelog)
  await createTopic(fixture.cluster.broker, fixture.changelog, { config: { 'cleanup.policy': 'compact' } })
  const kept = records.slice(0, count).map(({ key, value, src, aft, timestamp }) => ({
    key: Buffer.from(key!, 'latin1'),
    value: value === null ? null : Buffer.from(value, 'latin1'),
    timestamp: String(timestamp),
    headers: src >= 0 ? { src: headerOf(src) } : { aft: headerOf(aft) },
  }))
  if (kept.length > 0) await fixture.cluster.produce(fixture.changelog, kept)
}
