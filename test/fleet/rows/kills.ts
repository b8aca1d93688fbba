import { percentile } from '../../support/fleet/lookup-tally.ts'
import { startPatientKafka } from '../../support/fleet/patient-kafka.ts'
import type { Row } from '../row.ts'

const timesDefault = 50
const medianMsMax = 1_000
const p99MsMax = 1_500

/** One instance after another is killed, and started again. */
export async function kills(row: Row): Promise<void> {
  const { times = timesDefault, instances = 3 } = row.options
  const kafka = await startPatientKafka()
  const run = await row.open(kafka, instances)
  const failovers: number[] = []
  try {
    await run.begin(instances)
    const { fleet } = run
    for (let count = 0; count < times; count++) {
      await fleet.balanced()
      const victim = row.random.pick(fleet.instances)
      const others = fleet.running.filter((one) => one !== victim)
      await victim.kill()
      const failoverMs = await fleet.hasPrimaries(others)
      failovers.push(failoverMs)
      row.say(`${count + 1}: ${victim.name} killed; others primary after ${Math.round(failoverMs)} ms`)
      await victim.startReady()
    }
    row.figures('new primaries after a kill', failovers)
    const median = percentile(failovers, 0.5) ?? 0
    const p99 = percentile(failovers, 0.99) ?? 0
    row.expect(median <= medianMsMax && p99 <= p99MsMax, `new primaries: median ${median} ms, p99 ${p99} ms`)
    await row.judge(run)
  } finally {
    await run.close()
    await kafka.close()
  }
}
