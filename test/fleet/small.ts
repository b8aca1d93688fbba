/** Everything that ends or holds up an instance once, within half a minute. */
import { FleetRun } from '../support/fleet/fleet-run.ts'
import { startPatientKafka } from '../support/fleet/patient-kafka.ts'
import type { Random } from '../support/random.ts'

/** So that a silent member is removed soon. */
const sessionMs = 2_000
const properties = { 'group.min.session.timeout.ms': String(sessionMs), 'group.initial.rebalance.delay.ms': '0' }
const consumer = `session.timeout.ms=${sessionMs},heartbeat.interval.ms=200`

export interface SmallOptions {
  /** Called with what comes next. */
  say: (line: string) => void
  executable?: string | undefined
}

/** Resolves with all that was wrong. */
export async function smallFleet(random: Random, { say, executable }: SmallOptions): Promise<string[]> {
  const kafka = await startPatientKafka({ proxy: true, properties })
  const run = await FleetRun.open(kafka, random, {
    partitions: 6,
    isProxied: true,
    executable,
    settings: { KAFKA_CONSUMER_PROPERTIES: consumer },
    writer: { lasting: 600, passing: 60, rate: 200 },
    lookups: { rate: 200, keepsReads: true },
  })
  const wrong: string[] = []
  try {
    const { fleet, lookups } = run
    say('two start')
    await run.begin(2, true)
    say('a third joins')
    await fleet.add(1)
    await fleet.balanced()
    const [first, second, third] = fleet.instances
    say('the first is killed')
    await first!.kill()
    await fleet.hasPrimaries([second!, third!])
    await first!.startReady()
    say('the second stands still')
    second!.pause()
    await fleet.hasPrimaries([first!, third!])
    await Bun.sleep(sessionMs / 2)
    second!.resume()
    await second!.ready()
    say('the third stops')
    const exitCode = await third!.stop()
    if (exitCode !== 0) wrong.push(`exit code ${exitCode}`)
    await fleet.hasPrimaries()
    say('the end')
    wrong.push(...(await run.verdict()))
    if (lookups.tally.bad > 0) wrong.push(lookups.tally.summary())
    if (lookups.tally.answered < 500) wrong.push(`only ${lookups.tally.answered} lookups were answered`)
  } catch (error) {
    wrong.push((error as Error).message)
  } finally {
    await run.close()
    await kafka.close()
  }
  return wrong
}
