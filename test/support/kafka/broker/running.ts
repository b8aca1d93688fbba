/** What this process has started of Kafka. On globalThis: each test file has its own modules, and all share one process. */
import type { KafkaCluster } from '../cluster/cluster.ts'
import type { KafkaBroker } from './broker.ts'

interface Running {
  shared: Promise<KafkaBroker> | undefined
  cluster: Promise<KafkaCluster> | undefined
  own: Set<{ close(): Promise<void> }>
}

export const running: Running = ((globalThis as { latchkeyKafka?: Running }).latchkeyKafka ??= {
  shared: undefined,
  cluster: undefined,
  own: new Set(),
})

/** Ends every broker that this process started. For the preload of `bun test`, and for programs that use the harness. */
export async function closeKafka(): Promise<void> {
  const shared = await running.shared?.catch(() => undefined)
  running.shared = undefined
  const cluster = await running.cluster?.catch(() => undefined)
  running.cluster = undefined
  const all = [...running.own, shared, cluster]
  running.own.clear()
  await Promise.all(all.map((one) => one?.close()))
}
