import { startPatientKafka } from '../../support/fleet/patient-kafka.ts'
import type { Row } from '../row.ts'

const timesDefault = 10
const seconds = [3, 9, 30]

/** One instance stands still for shorter and longer than its session, and continues. */
export async function pauses(row: Row): Promise<void> {
  const { times = timesDefault, instances = 3 } = row.options
  const kafka = await startPatientKafka({ proxy: true })
  const run = await row.open(kafka, instances, { isProxied: true, lookups: { keepsReads: true, strict: 0.6 } })
  try {
    await run.begin(instances)
    const { fleet } = run
    for (const second of seconds) {
      for (let count = 0; count < times; count++) {
        await fleet.balanced()
        const victim = row.random.pick(fleet.instances)
        row.say(`${victim.name} stands still for ${second} s`)
        victim.pause()
        await Bun.sleep(second * 1_000)
        victim.resume()
        await victim.ready()
      }
    }
    row.figure('the changelog stood still', `${Math.round(run.ingest.longestMs())} ms at most`)
    await row.judge(run)
  } finally {
    await run.close()
    await kafka.close()
  }
}
