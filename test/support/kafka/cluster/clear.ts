import { until } from '../../until.ts'
import type { KafkaCluster } from './cluster.ts'
import { clusterView, deleteTopics } from './requests.ts'

/** Deletes the topics that tests have made: a broker that is down may have the only replica of one, and kafkajs looks at all topics. */
export async function clearTopics(cluster: KafkaCluster): Promise<void> {
  await until('topics of tests are deleted', async () => {
    const views = await Promise.all(cluster.awake.map((address) => clusterView(address)))
    const topics = new Set(views.flatMap((view) => view?.partitions.map(({ topic }) => topic).filter(isOfTests) ?? []))
    if (topics.size > 0) await deleteTopics(cluster.awake[0]!, [...topics])
    return topics.size === 0 && views.every((view) => view !== undefined)
  })
}

function isOfTests(topic: string): boolean {
  return !topic.startsWith('__')
}
