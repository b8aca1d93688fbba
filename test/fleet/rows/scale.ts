import { startPatientKafka } from '../../support/fleet/patient-kafka.ts'
import type { Row } from '../row.ts'

const balancedMsMax = 5_000

/** One instance, three, one. */
export async function scale(row: Row): Promise<void> {
  const kafka = await startPatientKafka()
  const run = await row.open(kafka, 3)
  try {
    await run.begin(1)
    row.say('one instance; two more start')
    const { fleet } = run
    const [first] = fleet.instances
    const from = performance.now()
    const added = await fleet.add(2)
    row.figure('two more are ready after', `${Math.round(performance.now() - from)} ms`)
    const balancedMs = await fleet.balanced()
    row.figure('balanced after the last is ready', `${Math.round(balancedMs)} ms`)
    row.expect(balancedMs <= balancedMsMax, `balanced ${Math.round(balancedMs)} ms after all copies were full`)
    await Bun.sleep(2_000)
    for (const instance of added) {
      row.say(`${instance.name} stops`)
      const stopFrom = performance.now()
      row.expect((await instance.stop()) === 0, `${instance.name} ended with an exit code`)
      row.figure('a stop took', `${Math.round(performance.now() - stopFrom)} ms`)
    }
    await fleet.hasPrimaries([first!])
    await Bun.sleep(1_000)
    row.figure('the changelog stood still', `${Math.round(run.ingest.longestMs())} ms at most`)
    await row.judge(run)
  } finally {
    await run.close()
    await kafka.close()
  }
}
