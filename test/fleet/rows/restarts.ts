import { percentile } from '../../support/fleet/lookup-tally.ts'
import { startPatientKafka } from '../../support/fleet/patient-kafka.ts'
import type { Row } from '../row.ts'

const timesDefault = 10
const handoverMsMax = 2_000
const unreadMsMax = 1_000

/** A rolling restart, as a deployment does it: each is stopped, started and ready before the next. */
export async function restarts(row: Row): Promise<void> {
  const { times = timesDefault, instances = 3 } = row.options
  const kafka = await startPatientKafka()
  const run = await row.open(kafka, instances)
  const handovers: number[] = []
  const starts: number[] = []
  try {
    await run.begin(instances)
    const { fleet } = run
    await fleet.balanced()
    const from = performance.now()
    for (let round = 1; round <= times; round++) {
      row.say(`round ${round}`)
      for (const instance of fleet.instances) {
        const others = fleet.running.filter((one) => one !== instance)
        const stopped = instance.stop()
        const handoverMs = await fleet.hasPrimaries(others)
        handovers.push(handoverMs)
        const exitCode = await stopped
        row.say(`${instance.name} stops; others primary after ${Math.round(handoverMs)} ms`)
        row.expect(exitCode === 0, `${instance.name} ended with ${exitCode}`)
        const startFrom = performance.now()
        await instance.startReady()
        starts.push(performance.now() - startFrom)
      }
    }
    const unreadMs = run.ingest.longestMs(from)
    row.figures('handover', handovers)
    row.figures('ready after a start', starts)
    row.figure('the changelog stood still', `${Math.round(unreadMs)} ms at most`)
    const p99 = percentile(handovers, 0.99) ?? 0
    row.expect(p99 <= handoverMsMax, `handover p99 ${Math.round(p99)} ms`)
    row.expect(unreadMs <= unreadMsMax, `source unread for ${Math.round(unreadMs)} ms`)
    await row.judge(run)
  } finally {
    await run.close()
    await kafka.close()
  }
}
