import { startPatientKafka } from '../../support/fleet/patient-kafka.ts'
import { HostDeath } from '../host-death.ts'
import type { Row } from '../row.ts'

const timesDefault = 10
const sessionMs = 6_000
const p99MsMax = 600

/** All that an instance sends and gets is lost silently; its connections stay. */
export async function hostDeaths(row: Row): Promise<void> {
  const { times = timesDefault, instances = 3 } = row.options
  const kafka = await startPatientKafka()
  const run = await row.open(kafka, instances)
  const failovers: number[] = []
  const firstSecond: number[] = []
  try {
    const { fleet } = run
    for (let index = 0; index < instances; index++) await fleet.place(HostDeath.userOf(index))
    await run.begin(instances)
    for (let count = 0; count < times; count++) {
      await fleet.balanced()
      const victim = row.random.pick(fleet.instances)
      const others = fleet.running.filter((one) => one !== victim)
      victim.disturb()
      const diedAt = performance.now()
      const death = HostDeath.of(victim.port!, HostDeath.userOf(fleet.instances.indexOf(victim)))
      try {
        const failoverMs = await fleet.hasPrimaries(others)
        failovers.push(failoverMs)
        await Bun.sleep(Math.max(0, 1_000 - failoverMs))
        firstSecond.push(run.lookups.tally.percentileMs(0.99, diedAt, diedAt + 1_000) ?? 0)
        row.say(`${count + 1}: ${victim.name} is cut off; others primary after ${Math.round(failoverMs)} ms`)
        await victim.kill()
      } finally {
        death[Symbol.dispose]()
      }
      await victim.startReady()
    }
    row.figures('new primaries after a host died', failovers)
    row.figures('lookup p99 in the first second', firstSecond)
    row.expect(Math.max(...failovers) <= sessionMs + 1_000, `new primaries after ${Math.max(...failovers)} ms`)
    row.expect(Math.max(...firstSecond) <= p99MsMax, `lookup p99 ${Math.max(...firstSecond)} ms in the first second`)
    await row.judge(run)
  } finally {
    await run.close()
    await kafka.close()
  }
}
