import { startPatientKafka } from '../../support/fleet/patient-kafka.ts'
import { until } from '../../support/until.ts'
import type { Row } from '../row.ts'

/** Of what three instances hold with a standby each, every one has room for this share. */
const share = 0.6
/** What MEMORY_MAX leaves to the process, beside keys and values. */
const processMiB = 256
const valueBytes = 1_000

/** There is room for 60 % of the data with their standbys, and then a member leaves: standbys go first, nothing ends, and all heals. */
export async function room(row: Row): Promise<void> {
  const kafka = await startPatientKafka()
  const { keys } = row.options
  // Two copies of all keys in three instances, and what an index and segments take.
  const copyMiB = (keys * (valueBytes + 100) * 1.5) / 2 ** 20
  const max = Math.ceil(processMiB + Math.max(16, ((copyMiB * 2) / 3) * share))
  const run = await row.open(kafka, 3, {
    settings: { MEMORY_MAX: `${max}M` },
    writer: { valueBytes },
  })
  try {
    row.figure('MEMORY_MAX', `${max} MiB`)
    await run.begin(3)
    const { fleet } = run
    await fleet.balanced()
    row.figure('copies, three instances', await copies(run))
    const [, , last] = fleet.instances
    await last!.stop()
    await Bun.sleep(10_000)
    row.figure('copies, two instances', await copies(run))
    row.expect(fleet.running.length === 2, `${2 - fleet.running.length} instances have ended`)
    const unassigned = await refusals(run)
    row.figure('partitions without a member', unassigned.join() || 'none')
    await last!.start()
    await until('all is healed', async () => (await refusals(run)).length === 0, 60_000)
    await fleet.balanced()
    row.figure('copies, three again', await copies(run))
    await run.writer.stop()
    await run.lookups.stop()
    console.log(run.lookups.tally.summary())
    const others = run.lookups.tally.failures.filter(({ found }) => !found.includes('partition_unassigned'))
    row.expect(others.length === 0, `${others.length} answers other than partition_unassigned`)
    row.keep(run)
  } finally {
    await run.close()
    await kafka.close()
  }
}

type Run = Awaited<ReturnType<Row['open']>>

async function copies({ fleet }: Run): Promise<string> {
  const statuses = await Promise.all(fleet.running.map((one) => one.status()))
  const details = statuses.flatMap((status) => status?.details ?? [])
  const primaries = details.filter(({ role }) => role === 'primary').length
  return `${primaries} primaries, ${details.length - primaries} replicas`
}

/** Partitions that no instance holds. */
async function refusals({ fleet }: Run): Promise<number[]> {
  const statuses = await Promise.all(fleet.running.map((one) => one.status()))
  return [...new Set(statuses.flatMap((status) => status?.group?.unassigned ?? []))]
}
