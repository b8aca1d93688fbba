import type { FleetInstance } from '../../support/fleet/fleet-instance.ts'
import { transactionalId } from '../../support/fleet/fleet.ts'
import { type KafkaCluster, startCluster } from '../../support/kafka/index.ts'
import type { Row } from '../row.ts'

const timesDefault = 10
const kinds = ['group', 'transaction', 'leader'] as const
type Kind = (typeof kinds)[number]
const names = {
  group: 'group coordinator',
  transaction: 'transaction coordinator',
  leader: 'changelog leader',
} as const
/** A leader needs an election beside that. */
const stoodMsMax = { group: 1_000, transaction: 1_000, leader: 4_000 } as const
const awayMs = 6_000

/** Of three brokers the one is killed that the group, a fence or a partition needs. */
export async function threeBrokers(row: Row): Promise<void> {
  const { times = timesDefault } = row.options
  const kafka = await startCluster()
  try {
    for (const kind of kinds) {
      const stood: number[] = []
      for (let count = 0; count < times; count++) stood.push(await once(row, kafka, kind))
      row.figures(`changelog stood still, ${names[kind]}`, stood)
      const longest = Math.max(...stood)
      row.expect(longest <= stoodMsMax[kind], `${names[kind]}: the changelog stood still for ${Math.round(longest)} ms`)
    }
  } finally {
    await kafka.close()
  }
}

/** With topics of its own, since leaders stay where a kill has moved them. @returns how long the changelog stood still */
async function once(row: Row, kafka: KafkaCluster, kind: Kind): Promise<number> {
  const { instances = 3 } = row.options
  const run = await row.open(kafka, instances, { aside: kind === 'leader' ? undefined : kind })
  try {
    await run.begin(instances)
    const { fleet } = run
    await fleet.balanced()
    const before = await members(fleet.instances)
    const broker =
      kind === 'leader'
        ? await kafka.leaderOf(fleet.changelog, row.random.below(fleet.partitions))
        : await kafka.coordinatorOf(kind, kind === 'group' ? fleet.topic : transactionalId(fleet.topic, 0))
    const from = performance.now()
    await broker.kill()
    await Bun.sleep(awayMs)
    const stoodMs = run.ingest.longestMs(from)
    await broker.start()
    await kafka.healthy()
    await fleet.hasPrimaries()
    const after = await members(fleet.instances)
    row.say(`${names[kind]} ${broker.id} was away: stood still ${Math.round(stoodMs)} ms`)
    row.expect(after.join() === before.join(), `${names[kind]}: member ids ${before.join()} became ${after.join()}`)
    await row.judge(run)
    return stoodMs
  } finally {
    await run.close()
  }
}

/** By which the group's coordinator knows the instances. */
async function members(instances: readonly FleetInstance[]): Promise<string[]> {
  const statuses = await Promise.all(instances.map((one) => one.status()))
  return statuses.map((status) => status?.group?.memberId ?? '')
}
