import { startPatientKafka } from '../../support/fleet/patient-kafka.ts'
import { Fetched, topicBytes } from '../fetched.ts'
import type { Row } from '../row.ts'

const instancesDefault = 5
const factorMax = 1.15

/** All instances start at once, with a full changelog and with an empty one. */
export async function coldStart(row: Row): Promise<void> {
  const { instances = instancesDefault, isManual } = row.options
  const standbys = Math.min(Number(row.options.settings['STANDBYS'] ?? 1), instances - 1)
  const kafka = await startPatientKafka({ proxy: true })
  const run = await row.open(kafka, instances, { isProxied: true, lookups: { keepsReads: false } })
  try {
    const { fleet, writer, lookups } = run
    await writer.load()
    row.say('the changelog is empty')
    lookups.start()
    let from = performance.now()
    await fleet.add(instances)
    row.figure('ready, with an empty changelog', `${Math.round(performance.now() - from)} ms`)
    await fleet.balanced()
    await Bun.sleep(3_000)
    await Promise.all(fleet.instances.map((one) => one.stop()))
    row.say('the changelog is full')
    const fetched = new Fetched(kafka.proxy!)
    from = performance.now()
    await Promise.all(fleet.instances.map((one) => one.startReady()))
    row.figure('ready, with a full changelog', `${Math.round(performance.now() - from)} ms`)
    await fleet.balanced()
    const bytes = fetched.bytes
    const size = topicBytes(kafka.logDir!, fleet.changelog)
    const copies = isManual ? instances : 1 + standbys
    const factor = bytes / size / copies
    row.figure('fetched', `${bytes} bytes for ${copies} copies of ${size} bytes: ${factor.toFixed(2)} times`)
    row.expect(factor <= factorMax, `${factor.toFixed(2)} times the bytes of the copies were fetched`)
    await row.judge(run)
  } finally {
    await run.close()
    await kafka.close()
  }
}
