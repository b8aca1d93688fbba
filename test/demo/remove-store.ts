import { type KafkaBroker, kafkaClient } from '../support/kafka/index.ts'

/** Deletes what a store has on a broker that belongs to somebody else: its topics, and its group with what that has committed. */
export async function removeStore(broker: Pick<KafkaBroker, 'bootstrap'>, storeId: string): Promise<void> {
  const admin = kafkaClient(broker).admin()
  await admin.connect()
  try {
    const existing = new Set(await admin.listTopics())
    await admin.deleteTopics({ topics: [storeId, `${storeId}-changelog`].filter((topic) => existing.has(topic)) })
    const { groups } = await admin.listGroups()
    if (groups.some(({ groupId }) => groupId === storeId)) await admin.deleteGroups([storeId])
  } finally {
    await admin.disconnect()
  }
}
