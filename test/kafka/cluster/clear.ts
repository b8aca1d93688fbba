import { until } from '../../until.ts'
import { type KafkaCluster } from './cluster.ts'
import { clusterView } from './requests.ts'

/** Deletes the topics that tests have made: a broker that is down may have the only replica of one, and kafkajs looks at all topics. */
export async function clearTopics(cluster: KafkaCluster): Promise<void> {
  const topics = (await cluster.admin((admin) => admin.listTopics())).filter(isOfTests)
  if (topics.length > 0) await cluster.admin((admin) => admin.deleteTopics({ topics }))
  await until('topics of tests are deleted', async () => {
    const views = await Promise.all(cluster.awake.map((address) => clusterView(address)))
    return views.every((view) => view !== undefined && !view.partitions.some(({ topic }) => isOfTests(topic)))
  })
}

function isOfTests(topic: string): boolean {
  return !topic.startsWith('__')
}
