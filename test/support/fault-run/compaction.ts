/** Makes the broker compact a topic now. */
import { ConfigResourceTypes } from 'kafkajs'
import { kafkaClient } from '../kafka/index.ts'
import { compacting } from '../store/compaction.ts'
import { until } from '../until.ts'
import { readTopic } from './oracle.ts'

/** A write may come before the new settings count; then another one is needed. */
const writeAgainMs = 1_000

/**
 * Resolves when every key stands only once in what the topic holds now.
 * @param write appends a record to every partition of the topic
 */
export async function compact(bootstrap: string, topic: string, write: () => Promise<void>): Promise<void> {
  const lastOffsets = new Map<number, number>()
  for (const { partition, offset } of (await readTopic(bootstrap, topic)).records) lastOffsets.set(partition, offset)
  await configure(bootstrap, topic)
  let wroteAt = -Infinity
  await until(`${topic} is compacted`, async () => {
    if (performance.now() - wroteAt > writeAgainMs) {
      await write()
      wroteAt = performance.now()
    }
    const { records } = await readTopic(bootstrap, topic)
    const old = records.filter(({ partition, offset }) => offset <= (lastOffsets.get(partition) ?? -1))
    return new Set(old.map(({ key }) => key)).size === old.length
  })
}

/** Kafka replaces all of a topic's own settings, so those that it has go along. */
async function configure(bootstrap: string, topic: string): Promise<void> {
  const admin = kafkaClient({ bootstrap }).admin()
  await admin.connect()
  try {
    const resource = { type: ConfigResourceTypes.TOPIC, name: topic }
    const { resources } = await admin.describeConfigs({ resources: [resource], includeSynonyms: false })
    const own = resources[0]!.configEntries.filter(({ isDefault }) => !isDefault)
    const entries = { ...Object.fromEntries(own.map((entry) => [entry.configName, entry.configValue])), ...compacting }
    const configEntries = Object.entries(entries).map(([name, value]) => ({ name, value }))
    await admin.alterConfigs({ validateOnly: false, resources: [{ ...resource, configEntries }] })
  } finally {
    await admin.disconnect()
  }
}
