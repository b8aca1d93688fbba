/** Runs streams/KafkaStreamsStore.java: on the JDK of this machine, else in a container. */
import { join, resolve } from 'node:path'
import { dockerAnswers } from '../kafka/broker/container-broker.ts'
import { kafkaJars } from '../kafka/broker/jars.ts'
import { runTool } from '../kafka/broker/java.ts'
import type { KafkaEndpoint } from '../kafka/index.ts'
import { tail } from '../process/run.ts'

const folder = resolve(import.meta.dir, 'streams')
const image = 'latchkey-test-streams'
const timeoutMs = 60_000

/** What a key-value store of Kafka Streams holds when it copies a topic. */
export async function copyOf(broker: KafkaEndpoint, application: string, topic: string): Promise<Map<string, string>> {
  const output = await kafkaStreams('read', broker.direct, application, topic)
  const decode = (base64 = '') => Buffer.from(base64, 'base64').toString()
  return new Map([...output.matchAll(/^entry (\S+) (\S*)$/gm)].map(([, key, value]) => [decode(key), decode(value)]))
}

/** Lets Kafka Streams consume so many records of a topic into a store, and stop. Resolves with the name of its changelog. */
export async function consume(
  broker: KafkaEndpoint,
  application: string,
  topic: string,
  store: string,
  records: number,
): Promise<string> {
  await kafkaStreams('write', broker.direct, application, topic, store, String(records))
  return `${application}-${store}-changelog`
}

async function kafkaStreams(...args: string[]): Promise<string> {
  const jars = await kafkaJars().catch(async (error: unknown) => {
    if (await dockerAnswers()) return undefined
    throw error
  })
  if (jars === undefined) return inContainer(args)
  const { stdout, stderr, exitCode } = await runTool(jars, join(folder, 'KafkaStreamsStore.java'), args)
  if (exitCode !== 0) throw new Error(`run Kafka Streams: exit code ${exitCode}\n${tail(stdout + stderr)}`)
  return stdout
}

async function inContainer(args: string[]): Promise<string> {
  const { GenericContainer, Wait } = await import('testcontainers')
  const built = await GenericContainer.fromDockerfile(folder, 'containerfile').build(image, { deleteOnExit: false })
  const container = await built
    .withNetworkMode('host')
    .withCommand(args)
    .withWaitStrategy(Wait.forOneShotStartup())
    .withStartupTimeout(timeoutMs)
    .start()
  try {
    const chunks = await Array.fromAsync(await container.logs())
    return chunks.join('')
  } finally {
    await container.stop()
  }
}
