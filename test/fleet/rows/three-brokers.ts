import type { FleetInstance } from '../../support/fleet/fleet-instance.ts'
import { startCluster } from '../../support/kafka/index.ts'
import type { Row } from '../row.ts'

const timesDefault = 10
const kinds = ['group coordinator', 'transaction coordinator', 'changelog leader'] as const
const coordinatorMsMax = 1_000
const leaderMsMax = 4_000

/** Of three brokers the one is killed that the group, a fence or a partition needs. */
export async function threeBrokers(row: Row): Promise<void> {
  const { times = timesDefault, instances = 3 } = row.options
  const kafka = await startCluster()
  const run = await row.open(kafka, instances)
  try {
    await run.begin(instances)
    const { fleet } = run
    for (const kind of kinds) {
      const stood: number[] = []
      for (let count = 0; count < times; count++) {
        await fleet.balanced()
        const before = await members(run.fleet.instances)
        const broker = await brokerOf(kind)
        const from = performance.now()
        await broker.kill()
        await Bun.sleep(6_000)
        await broker.start()
        await kafka.healthy()
        await fleet.hasPrimaries()
        stood.push(run.ingest.longestMs(from))
        const after = await members(run.fleet.instances)
        const isNew = after.some((member, index) => member !== before[index])
        row.say(
          `${kind} ${broker.id} was away: stood still ${Math.round(stood.at(-1)!)} ms${isNew ? ', new member ids' : ''}`,
        )
        row.expect(!isNew, `${kind} ${broker.id}: new member ids ${before.join()} ${after.join()}`)
      }
      row.figures(`changelog stood still, ${kind}`, stood)
      const max = kind === 'changelog leader' ? leaderMsMax : coordinatorMsMax
      // A broker leads partitions, too, beside what it coordinates.
      if (Math.max(...stood) > max) row.say(`beyond ${max} ms: the broker led partitions of source and changelog, too`)
    }
    await row.judge(run)
  } finally {
    await run.close()
    await kafka.close()
  }

  async function brokerOf(kind: (typeof kinds)[number]) {
    const { topic, changelog, partitions } = run.fleet
    if (kind === 'group coordinator') return kafka.coordinatorOf('group', topic)
    const partition = row.random.below(partitions)
    if (kind === 'changelog leader') return kafka.leaderOf(changelog, partition)
    return kafka.coordinatorOf('transaction', `latchkey-${topic}-${partition}`)
  }
}

/** By which the group's coordinator knows the instances. */
async function members(instances: readonly FleetInstance[]): Promise<string[]> {
  const statuses = await Promise.all(instances.map((one) => one.status()))
  return statuses.map((status) => status?.group?.memberId ?? '')
}
