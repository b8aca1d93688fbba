import { fillTopic } from '../../bench/topics/filler.ts'
import { startPatientKafka } from '../../support/fleet/patient-kafka.ts'
import { Fetched, topicSizes } from '../fetched.ts'
import type { Row } from '../row.ts'

const instancesDefault = 5
const factorMax = 1.15
/** Keys of lookups. The others are only there to be read. */
const askedMax = 20_000
const readyMs = 600_000
const shownMax = 5

/** All instances start at once, with a full changelog and with an empty one. */
export async function coldStart(row: Row): Promise<void> {
  const { instances = instancesDefault, isManual, keys, partitions } = row.options
  const standbys = Math.min(Number(row.options.settings['STANDBYS'] ?? 1), instances - 1)
  const kafka = await startPatientKafka({ proxy: true })
  const run = await row.open(kafka, instances, { writer: { lasting: Math.min(keys, askedMax) } })
  try {
    const { fleet, writer, lookups } = run
    await writer.load()
    const others = keys - writer.lasting.length
    const filling = { topic: fleet.topic, partitions, records: others, keys: others, round: 0, valueBytes: 20 }
    if (others > 0) await fillTopic(kafka.direct, filling)
    row.say('the changelog is empty')
    lookups.start()
    let from = performance.now()
    await fleet.add(instances, readyMs)
    row.figure('ready, with an empty changelog', `${Math.round(performance.now() - from)} ms`)
    await fleet.balanced()
    await Bun.sleep(3_000)
    await Promise.all(fleet.instances.map((one) => one.stop()))
    const sizes = topicSizes(kafka.logDir!, fleet.changelog, fleet.partitions)
    const size = sizes.reduce((sum, one) => sum + one, 0)
    row.say(`the changelog is full: ${size} bytes`)
    const fetched = new Fetched(kafka.proxy!, kafka.logDir!, fleet.changelog)
    from = performance.now()
    await Promise.all(fleet.instances.map((one) => one.startReady(readyMs)))
    row.figure('ready, with a full changelog', `${Math.round(performance.now() - from)} ms`)
    await fleet.balanced()
    const { bytes } = fetched
    const copies = isManual ? instances : 1 + standbys
    const factor = bytes / size / copies
    row.figure('fetched', `${bytes} bytes for ${copies} copies of ${size} bytes: ${factor.toFixed(2)} times`)
    for (const { client, partition, bytes: more } of fetched.beyond(sizes).slice(0, shownMax)) {
      row.figure('read again', `${client} partition ${partition}: ${more} bytes`)
    }
    row.expect(factor <= factorMax, `${factor.toFixed(2)} times the bytes of the copies were fetched`)
    await Bun.sleep(3_000)
    await lookups.stop()
    await row.count(run)
  } catch (error) {
    row.missed.push(`the row ended: ${(error as Error).message}`)
  } finally {
    row.keep(run)
    await run.close()
    await kafka.close()
  }
}
