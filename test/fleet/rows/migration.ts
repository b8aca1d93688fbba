import { LatchkeyProcess, localPort } from '../../support/binary/latchkey-process.ts'
import { startPatientKafka } from '../../support/fleet/patient-kafka.ts'
import type { Row } from '../row.ts'

const watchMs = 20
/** From the moment at which the first one has taken the partitions of all, until it is ready. */
const unreadyMsMax = 2_000
/** So that who asks for readiness learns of a stop in time. */
const byHand = { SHUTDOWN_DELAY: '1' }

/**
 * Instances with partitions by hand, each with replicas of the others, become a group one by one. An instance that writes by hand
 * is refused beside it.
 */
export async function migration(row: Row): Promise<void> {
  const { instances = 3 } = row.options
  const kafka = await startPatientKafka()
  const run = await row.open(kafka, instances, { manual: instances, settings: byHand })
  const { fleet } = run
  const watch = new ReadyWatch(() => fleet.instances.some((one) => one.isReady))
  try {
    await run.begin(instances)
    watch.start()
    fleet.formGroup()
    for (const [index, instance] of fleet.instances.entries()) {
      row.say(`${instance.name} is started again, of a group`)
      row.expect((await instance.stop()) === 0, `${instance.name} ended with an exit code`)
      const from = performance.now()
      await instance.startReady()
      row.figure(`${instance.name} is ready after`, `${Math.round(performance.now() - from)} ms`)
      row.figure('ready with it', names(fleet.instances.filter((one) => one !== instance && one.isReady)))
      await fleet.hasPrimaries(fleet.instances.slice(0, index + 1))
    }
    await fleet.balanced()
    watch.stop()
    row.figure('no instance was ready', `${Math.round(watch.longestMs)} ms at most`)
    row.figure('the changelog stood still', `${Math.round(run.ingest.longestMs())} ms at most`)
    row.expect(watch.longestMs <= unreadyMsMax, `no instance was ready for ${Math.round(watch.longestMs)} ms`)
    await refused(row, fleet.topic, kafka.bootstrap)
    await row.judge(run)
  } catch (error) {
    row.missed.push(`the row ended: ${(error as Error).message}`)
  } finally {
    watch.stop()
    row.keep(run)
    await run.close()
    await kafka.close()
  }
}

/** One that would write by hand ends, and says why. */
async function refused(row: Row, topic: string, bootstrap: string): Promise<void> {
  const settings = { ...localPort, SOURCE_TOPIC: topic, KAFKA_BROKERS: bootstrap, PARTITIONS: '0' }
  const { executable } = row.options
  const process = await LatchkeyProcess.start({ settings, ...(executable !== undefined && { path: executable }) })
  try {
    await process.until('it ends', () => !process.isAlive).catch(() => {})
    const said = process.stderr.split('\n').findLast((line) => line.includes('ELASTIC')) ?? ''
    row.figure('one that writes by hand', process.isAlive ? 'runs' : `ended with ${await process.exited}: ${said}`)
    row.expect(!process.isAlive && said !== '', 'an instance that writes by hand was not refused with words')
  } finally {
    await process.close()
  }
}

function names(instances: readonly { name: string }[]): string {
  return instances.map(({ name }) => name).join(', ') || 'none'
}

/** For how long there was no ready instance. */
class ReadyWatch {
  longestMs = 0
  readonly #isReady: () => boolean
  #since: number | undefined
  #timer: ReturnType<typeof setInterval> | undefined

  constructor(isReady: () => boolean) {
    this.#isReady = isReady
  }

  start(): void {
    this.#timer = setInterval(() => this.#look(), watchMs)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    const now = performance.now()
    this.#since = this.#isReady() ? undefined : (this.#since ?? now)
    if (this.#since !== undefined) this.longestMs = Math.max(this.longestMs, now - this.#since)
  }
}
