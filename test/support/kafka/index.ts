/**
 * A real Kafka for tests: the broker of KAFKA_BROKERS, else a container where a Docker daemon answers, else Apache Kafka's own jars
 * on this machine's Java. Where none of these is possible the test fails and says what to install; it is never skipped.
 */
import type { KafkaBroker, StartOptions } from './broker/broker.ts'
import { ContainerBroker, dockerAnswers } from './broker/container-broker.ts'
import { ExternalBroker } from './broker/external-broker.ts'
import { LocalBroker } from './broker/local-broker.ts'
import { prepareKafka } from './broker/prepare.ts'
import { running } from './broker/running.ts'
import { clearTopics } from './cluster/clear.ts'
import { KafkaCluster } from './cluster/cluster.ts'
import type { ClusterOptions } from './cluster/start.ts'

export type { KafkaBroker, KafkaEndpoint, StartOptions, ToolResult } from './broker/broker.ts'
export type { KafkaCluster, LostTail } from './cluster/cluster.ts'
export type { ClusterBroker } from './cluster/cluster-broker.ts'
export { TcpProxy, type ProxiedRequest, type ProxiedResponse, type Verdict } from './proxies/tcp-proxy.ts'
export { closeKafka } from './broker/running.ts'
export { createTopic, kafkaClient, uniqueName } from './topics.ts'

/** A separate broker that the test may stop and kill. Close it in the test that started it. */
export async function startKafka(options: StartOptions = {}): Promise<KafkaBroker> {
  const broker = (await dockerAnswers()) ? await ContainerBroker.start(options) : await LocalBroker.start(options)
  running.own.add(broker)
  return broker
}

/** The broker that all tests of this process share: started on first use, ended with the process. Use separate topics on it. */
export function sharedKafka(): Promise<KafkaBroker> {
  running.shared = running.shared ? running.shared.then(revived) : startShared()
  return running.shared
}

/** Bun kills the children of its process when a test times out. That test has failed; the others need not. */
async function revived(broker: KafkaBroker): Promise<KafkaBroker> {
  if (broker instanceof LocalBroker && broker.pid === undefined) await broker.start()
  return broker
}

/** Three separate brokers, with the test's settings. Close them in the test that started them. */
export async function startCluster(options: ClusterOptions = {}): Promise<KafkaCluster> {
  const cluster = await KafkaCluster.start(options)
  running.own.add(cluster)
  return cluster
}

/**
 * The three brokers that all tests of this process share, to be killed and held up at will: started on first use, ended with the process.
 * A file that uses them says `afterEach(healCluster, healTimeoutMs)`, which deletes its topics, too. Use separate topics on them.
 */
export function sharedCluster(): Promise<KafkaCluster> {
  running.cluster ??= KafkaCluster.start()
  return running.cluster
}

/** With time for brokers that do not heal and have to be started again. */
export const healTimeoutMs = 180_000

/** Undoes what a test has done to the shared cluster, and deletes its topics. One that cannot be healed is replaced when the next test asks for it. */
export async function healCluster(): Promise<void> {
  const cluster = await running.cluster?.catch(() => undefined)
  try {
    await cluster?.heal()
    if (cluster !== undefined) await clearTopics(cluster)
  } catch (error) {
    running.cluster = undefined
    await cluster?.close()
    throw error
  }
}

async function startShared(): Promise<KafkaBroker> {
  const external = process.env['KAFKA_BROKERS']
  if (external) return new ExternalBroker(external.split(',')[0]!.trim())
  // It is never killed, and a loaded machine must not make it look dead.
  return startKafka({ properties: { 'broker.session.timeout.ms': '9000' } })
}

// While a file is loaded, because no test has the time. The tests that need a download report if it fails.
await prepareKafka().catch(() => {})
