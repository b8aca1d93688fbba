import { startPatientKafka } from '../../support/fleet/patient-kafka.ts'
import type { Row } from '../row.ts'

const awayMs = 60_000
const backMsMax = 10_000

/** The only broker is away for a minute. */
export async function kafkaAway(row: Row): Promise<void> {
  const { instances = 3, times = 1 } = row.options
  const kafka = await startPatientKafka()
  const run = await row.open(kafka, instances)
  try {
    await run.begin(instances)
    const { fleet } = run
    for (let count = 0; count < times; count++) {
      await fleet.balanced()
      const before = (await fleet.primaries()).map((owners) => owners[0]?.name)
      await kafka.kill()
      row.say('Kafka is away')
      const from = performance.now()
      await Bun.sleep(awayMs)
      const p99 = run.lookups.tally.percentileMs(0.99, from) ?? 0
      await kafka.start()
      row.say(`Kafka is back; lookups p99 ${p99.toFixed(1)} ms meanwhile`)
      const backMs = await fleet.hasPrimaries()
      row.figure('all primaries again after', `${Math.round(backMs)} ms`)
      row.expect(backMs <= backMsMax, `all primaries again after ${Math.round(backMs)} ms`)
      await fleet.balanced()
      await Bun.sleep(5_000)
      const after = (await fleet.primaries()).map((owners) => owners[0]?.name)
      const moves = after.filter((name, partition) => name !== before[partition]).length
      row.figure('partitions elsewhere in the end', String(moves))
      row.expect(moves === 0, `${moves} partitions have moved`)
    }
    await row.judge(run)
  } finally {
    await run.close()
    await kafka.close()
  }
}
