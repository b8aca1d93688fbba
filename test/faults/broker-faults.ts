/** What is done to brokers, one at a time and from a cluster whose replicas are in sync. */
import { partitionFor } from '../../lib/store/partitioner.ts'
import { readTopic } from '../support/fault-run/oracle.ts'
import type { ClusterBroker } from '../support/kafka/index.ts'
import type { brokerFaults } from './fault-names.ts'
import type { Scene } from './scene.ts'

/** How long a broker is down or silent: shorter and longer than a session. */
const downMs = [300, 6_000] as const
/** What an unclean election loses: a few records, which are easily overlooked, or all that come meanwhile. */
const lostCounts = [1, 2, 20] as const
const lostMeanwhileMs = 1_500
const acknowledgedLimitMs = 15_000

type Act = (scene: Scene) => Promise<void>

export const brokerActs: Record<(typeof brokerFaults)[number], Act> = {
  async 'broker-kill'(scene) {
    const broker = await victim(scene)
    await broker.kill()
    await scene.pause(...downMs)
    await broker.start()
  },

  async 'broker-stop'(scene) {
    const broker = await victim(scene)
    await broker.stop()
    await scene.pause(...downMs)
    await broker.start()
  },

  async 'broker-silence'(scene) {
    const broker = await victim(scene)
    broker.pause()
    await scene.pause(...downMs)
    broker.resume()
  },

  async move({ cluster, run, random, partitions }) {
    const topic = random.pick([run.topic, run.changelog])
    const partition = random.below(partitions)
    const { replicas } = await cluster.partition(topic, partition)
    await cluster.moveLeader(topic, partition, random.pick(replicas))
  },

  async 'unclean-changelog'(scene) {
    const { cluster, run, random } = scene
    const partition = random.below(scene.partitions)
    const count = random.pick([...lostCounts, undefined])
    if (count !== undefined) await run.workload.stop()
    await cluster.loseTail(run.changelog, partition, async () => {
      const from = run.recorder.acknowledgements.length
      if (count === undefined) await Bun.sleep(lostMeanwhileMs)
      else await run.workload.send(updates(scene, partition, count))
      await acknowledged(scene, partition, from)
      run.losses.push({ topic: 'changelog', partition, at: performance.now(), lost: [] })
    })
    if (count !== undefined) run.workload.start()
  },

  async 'unclean-source'(scene) {
    const { cluster, run, random } = scene
    const partition = random.below(scene.partitions)
    await run.workload.stop()
    const end = await cluster.endOf(run.topic, partition)
    await cluster.loseTail(run.topic, partition, async () => {
      const from = run.recorder.acknowledgements.length
      await run.workload.send(updates(scene, partition, random.pick(lostCounts)))
      // In half of the cases the store has taken what is about to be lost.
      if (random.below(2) === 0) await acknowledged(scene, partition, from)
      const { records } = await readTopic(await leaderOf(scene, run.topic, partition), run.topic)
      const lost = records.filter((record) => record.partition === partition && record.offset >= end)
      run.losses.push({ topic: 'source', partition, at: performance.now(), lost })
    })
    run.workload.start()
  },
}

/** One that matters: a leader, a coordinator, or any. */
async function victim({ cluster, run, random, partitions }: Scene): Promise<ClusterBroker> {
  switch (random.below(4)) {
    case 0:
      return cluster.leaderOf(random.pick([run.topic, run.changelog]), random.below(partitions))
    case 1:
      return cluster.coordinatorOf('group', run.topic)
    case 2:
      return cluster.coordinatorOf('transaction', `latchkey-${run.topic}-${random.below(partitions)}`)
    default:
      return random.pick(cluster.brokers)
  }
}

function updates({ run, partitions }: Scene, partition: number, count: number): [key: string, value: string][] {
  const keys = run.workload.keys.filter((key) => partitionFor(Buffer.from(key), partitions, 'murmur2') === partition)
  return Array.from({ length: count }, (_, index) => {
    const key = keys[index % keys.length]!
    return [key, run.workload.nextValue(key)]
  })
}

/** Waits for an acknowledgement of the changelog partition, or for long enough: the store may be down. */
async function acknowledged({ run }: Scene, partition: number, from: number): Promise<void> {
  const deadline = performance.now() + acknowledgedLimitMs
  const { acknowledgements } = run.recorder
  const hasCome = () => acknowledgements.slice(from).some((one) => one.partition === partition)
  while (!hasCome() && performance.now() < deadline) await Bun.sleep(20)
}

/** The only one whose answers count while the others are silent. */
async function leaderOf({ cluster }: Scene, topic: string, partition: number): Promise<string> {
  return (await cluster.leaderOf(topic, partition)).direct
}
