import { partitionFor } from '../../../lib/store/partitioner.ts'
import { startPatientKafka } from '../../support/fleet/patient-kafka.ts'
import { until } from '../../support/until.ts'
import type { Row } from '../row.ts'

const lookupsMin = 100_000
const partitionsAtFirst = 4
const growthsDefault = 3
const restMs = 5_000
const lookupsMsMax = 600_000

/**
 * By their numbers, keys are placed as the store expects it, as librdkafka does, or as a program likes that writes to a
 * partition of its choice; all of them by the number of partitions of the moment.
 */
export function placeOf(key: string, partitions: number): number {
  const bytes = Buffer.from(key)
  const turn = Number(key.slice(key.lastIndexOf('-') + 1)) % 3
  if (turn === 0) return partitionFor(bytes, partitions, 'murmur2')!
  return turn === 1 ? partitionFor(bytes, partitions, 'crc32')! : Bun.hash.adler32(bytes) % partitions
}

/** The topic gets more partitions under load, and some producers place their keys in another way than the store. */
export async function growth(row: Row): Promise<void> {
  const kafka = await startPatientKafka()
  const options = { partitions: partitionsAtFirst, writer: { place: placeOf } }
  const run = await row.open(kafka, 3, options)
  try {
    await run.begin(3, true)
    const { fleet, lookups } = run
    await fleet.balanced()
    for (let round = 0; round < (row.options.times ?? growthsDefault); round++) {
      await Bun.sleep(restMs)
      const from = performance.now()
      await fleet.grow(fleet.partitions + partitionsAtFirst)
      row.say(`the topic has ${fleet.partitions} partitions`)
      await fleet.balanced()
      row.figure(`balanced with ${fleet.partitions} partitions`, `${Math.round(performance.now() - from)} ms`)
    }
    await until(`${lookupsMin} lookups`, () => lookups.tally.answered >= lookupsMin, lookupsMsMax)
    await run.writer.stop()
    await lookups.stop()
    await row.count(run)
  } finally {
    row.keep(run)
    await run.close()
    await kafka.close()
  }
}
