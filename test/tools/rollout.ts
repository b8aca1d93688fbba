/** The manifest of a group and the unit, done to processes: what they say must be enough that no lookup fails. */
import { afterEach, expect, test } from 'bun:test'
import { YAML } from 'bun'
import type { GroupStatus } from '../../lib/group-protocol/group-status.ts'
import { documents } from '../../lib/print/index.ts'
import { createTopic, kafkaClient, sharedKafka, uniqueName } from '../support/kafka/index.ts'
import { Deployment, type DeploymentSpec } from '../support/rollout/deployment.ts'
import { until } from '../support/until.ts'

const timeoutMs = 300_000
const keys = 2_000
const partitions = 12

let deployment: Deployment | undefined

afterEach(async () => {
  await deployment?.close()
  deployment = undefined
})

/** A Deployment over a topic of its own, started, with what it serves. */
async function started(changes: Record<string, string> = {}) {
  const broker = await sharedKafka()
  const topic = await createTopic(broker, uniqueName('rollout'), { partitions })
  const values = new Map(Array.from({ length: keys }, (_, index) => [`key-${index}`, `{"n":${index}}`]))
  const producer = kafkaClient(broker).producer()
  await producer.connect()
  await producer.send({ topic, messages: [...values].map(([key, value]) => ({ key, value })) })
  await producer.disconnect()
  const [{ data }, { spec }] = YAML.parse(documents['k8s-group']) as [
    { data: Record<string, string> },
    { spec: DeploymentSpec },
  ]
  const settings = { ...data, SOURCE_TOPIC: topic, KAFKA_BROKERS: broker.bootstrap, ...changes }
  deployment = new Deployment(spec, settings)
  await deployment.start()
  return { deployment, spec, path: `/stores/${topic}`, values }
}

test(
  'a rollout of the Deployment replaces all pods, and no lookup fails',
  async () => {
    const { deployment: all, spec, path, values } = await started()
    const before = new Set(all.pods.map(({ url }) => url))
    await all.lookingUp(path, values, () => all.rollOut())
    const report = `${all.lookups} lookups, ${all.failures.length} failed; pods ended after ${all.ends.join(', ')} ms`
    console.info(report)
    expect(all.failures.slice(0, 5), report).toEqual([])
    expect(all.exitCodes).toEqual(Array.from({ length: spec.replicas }, () => 0))
    expect(all.pods.map(({ url }) => url).filter((url) => before.has(url))).toEqual([])
    const [first] = all.pods
    await until('the group has the new pods alone', async () => {
      const answer = await fetch(`${first!.url}/group`, { headers: { accept: 'application/json' } })
      return ((await answer.json()) as GroupStatus).members.length === spec.replicas
    })
  },
  timeoutMs,
)

test(
  'units that are restarted one after the other end in their time, and no lookup fails',
  async () => {
    const { deployment: all, spec, path, values } = await started()
    const stopSeconds = Number(/^TimeoutStopSec=(\d+)$/m.exec(documents.unit)![1])
    const units = [...all.pods]
    await all.lookingUp(path, values, async () => {
      for (const unit of units) await all.restart(unit)
    })
    const report = `${all.lookups} lookups, ${all.failures.length} failed; units ended after ${all.ends.join(', ')} ms`
    console.info(report)
    expect(all.failures.slice(0, 5), report).toEqual([])
    expect(all.exitCodes).toEqual(Array.from({ length: spec.replicas }, () => 0))
    // A process that takes longer was killed, and has no exit code.
    expect(spec.template.spec.terminationGracePeriodSeconds).toBeLessThanOrEqual(stopSeconds)
  },
  timeoutMs,
)

test(
  'pods that are all ended at once do not wait for each other',
  async () => {
    const { deployment: all, spec } = await started({ SHUTDOWN_DELAY: '0', HANDOVER_SECONDS: '3600' })
    await Promise.all(all.pods.map((pod) => all.end(pod)))
    // One that had waited would have been killed at the end of its grace.
    expect(all.exitCodes).toEqual(Array.from({ length: spec.replicas }, () => 0))
  },
  timeoutMs,
)
