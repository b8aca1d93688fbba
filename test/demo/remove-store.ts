import { type KafkaBroker, kafkaClient } from '../support/kafka/index.ts'

/** Deletes a store's topics on another broker, and its group with the committed offsets. */
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
