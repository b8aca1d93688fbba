import { startCluster } from '../../support/kafka/index.ts'
import { FleetChaos } from '../chaos.ts'
import type { Row } from '../row.ts'

const instancesDefault = 5
const roundMs = 180_000
/** Until a fault's time is over, and until the next. */
const quietMs = [5_000, 15_000] as const

/** Faults of instances, brokers and networks, one after another, in rounds with their own topic, each held against the invariants. */
export async function chaos(row: Row): Promise<void> {
  const { instances = instancesDefault, minutes } = row.options
  const kafka = await startCluster()
  const end = performance.now() + minutes * 60_000
  let faults = 0
  let lookups = 0
  let records = 0
  try {
    for (let round = 1; performance.now() < end; round++) {
      row.say(`round ${round}`)
      const run = await row.open(kafka, instances, {
        isProxied: true,
        lookups: { keepsReads: true },
        topicConfig: { 'min.insync.replicas': '2' },
      })
      try {
        await run.begin(instances)
        const acts = new FleetChaos(run, kafka, row)
        const roundEnd = Math.min(end, performance.now() + roundMs)
        while (performance.now() < roundEnd) {
          await Bun.sleep(quietMs[0] + row.random.below(quietMs[1] - quietMs[0]))
          await acts.strike()
          faults++
        }
        await kafka.revive()
        await Promise.all(run.fleet.instances.map((one) => one.ready()))
        row.figure('all primaries after healing', `${Math.round(await run.fleet.hasPrimaries())} ms`)
        await row.judge(run, `round-${round}`)
      } finally {
        lookups += run.lookups.tally.answered
        records += run.writer.written
        await run.close()
      }
    }
  } finally {
    await kafka.close()
  }
  row.figure('in all', `${faults} faults, ${records} records, ${lookups} lookups`)
}
