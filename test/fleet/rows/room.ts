import { readFileSync } from 'node:fs'
import { mapBudgetOf, mapBytesFor } from '../../../lib/store-protocol/memory-budget.ts'
import { startPatientKafka } from '../../support/fleet/patient-kafka.ts'
import { until } from '../../support/until.ts'
import type { Row } from '../row.ts'

const mebibyte = 2 ** 20
/** Of what three instances hold with a standby each, every one has room for this share. */
const share = 0.6
/** So much that MEMORY_MAX leaves the whole reserve to the process: of a smaller one the maps get a part of that. */
const dataBytes = 340 * mebibyte
/** Many, so that what one of them takes is little beside the room. */
const partitions = 24
/** Records a second: what they replace takes little beside the data. */
const rate = 20
const healTimeoutMs = 60_000
/** Time for plans, and for copies that follow from them. */
const settleMs = 15_000

/** There is room for 60 % of the data with their standbys, and then a member leaves: standbys go first, nothing ends, and all heals. */
export async function room(row: Row): Promise<void> {
  const { keys } = row.options
  const valueBytes = Math.ceil(dataBytes / keys)
  const copyBytes = mapBytesFor({ entries: keys, bytes: keys * (valueBytes + 20) })
  const max = memoryMaxOf(((2 * copyBytes) / 3) * share)
  const refusals = new Refusals()
  const kafka = await startPatientKafka()
  const run = await row.open(kafka, 3, {
    partitions,
    settings: { MEMORY_MAX: String(max) },
    writer: { valueBytes, rate },
    lookups: { mayRefuse: (problem) => refusals.take(problem) },
  })
  const { fleet } = run
  let mostBytes = 0
  const look = async (when: string) => {
    for (const one of fleet.running) mostBytes = Math.max(mostBytes, peakBytes(one.process.pid))
    const { counts, absent } = await copies(run)
    row.figure(`copies, ${when}`, counts.join('; '))
    return absent
  }
  try {
    row.figure('MEMORY_MAX', `${mebibytes(max)}, for ${mebibytes(copyBytes)} in ${partitions} partitions`)
    await run.begin(3)
    await fleet.balanced()
    await Bun.sleep(settleMs)
    const first = await look('three instances')
    row.expect(first.length === 0, `with three instances no one has ${first.join()}`)
    const [, , last] = fleet.instances
    row.say(`${last!.name} stops`)
    refusals.isAllowed = true
    row.expect((await last!.stop()) === 0, `${last!.name} ended with an exit code`)
    await Bun.sleep(settleMs)
    const absent = await look('two instances')
    row.figure('partitions that no one has', absent.join() || 'none')
    row.expect(fleet.running.length === 2, `${2 - fleet.running.length} instances have ended`)
    row.expect(absent.length > 0, 'all partitions have found room: nothing was tried')
    row.say(`${last!.name} starts`)
    const from = performance.now()
    await last!.start()
    await until('each partition has a member', async () => (await copies(run)).absent.length === 0, healTimeoutMs)
    await fleet.hasPrimaries()
    row.figure('each partition has a primary after', `${Math.round(performance.now() - from)} ms`)
    await last!.ready()
    refusals.isAllowed = false
    await Bun.sleep(settleMs)
    await look('three again')
    row.figure('memory of a process, at most', mebibytes(mostBytes))
    row.expect(mostBytes <= max, `a process took ${mebibytes(mostBytes)}`)
    row.figure('refused meanwhile', refusals.summary())
    const others = refusals.partitions.filter((partition) => !absent.includes(partition))
    row.expect(others.length === 0, `partitions ${others.join()} were refused, and another one had them`)
    row.expect(refusals.codes.has('partition_unassigned'), 'no lookup was refused with partition_unassigned')
    await row.judge(run)
  } catch (error) {
    row.missed.push(`the row ended: ${(error as Error).message}`)
  } finally {
    row.keep(run)
    await run.close()
    await kafka.close()
  }
}

/** Lookups that may be refused while there is no copy of their partition. */
class Refusals {
  readonly codes = new Map<string, number>()
  readonly #partitions = new Set<number>()
  isAllowed = false

  get partitions(): number[] {
    return [...this.#partitions].toSorted((a, b) => a - b)
  }

  /** @returns whether it names its partition, and may be */
  take(problem: string): boolean {
    const { code = '', partition } = JSON.parse(problem) as { code?: string; partition?: number }
    if (!this.isAllowed || partition === undefined) return false
    this.codes.set(code, (this.codes.get(code) ?? 0) + 1)
    this.#partitions.add(partition)
    return true
  }

  summary(): string {
    const counts = [...this.codes].map(([code, count]) => `${code} ${count}`)
    return `${counts.join(', ') || 'none'}; partitions ${this.partitions.join() || 'none'}`
  }
}

type Run = Awaited<ReturnType<Row['open']>>

/** How many copies there are, and of which partitions there is none. */
async function copies({ fleet }: Run): Promise<{ counts: string[]; absent: number[] }> {
  const statuses = await Promise.all(fleet.running.map((one) => one.status()))
  const details = statuses.flatMap((status) => status?.details ?? [])
  // A full instance answers, and reads nothing more.
  const whole = details.filter(({ state }) => state === 'running' || state === 'full')
  const held = new Set(whole.map(({ partition }) => partition))
  const all = Array.from({ length: fleet.partitions }, (_, partition) => partition)
  return {
    counts: statuses.map((status) => {
      const roles = status?.details?.map(({ role, state }) => (state === 'running' ? role : `${role} ${state}`)) ?? []
      return [...Map.groupBy(roles, (role) => role)].map(([role, { length }]) => `${length} ${role}`).join(', ')
    }),
    absent: all.filter((partition) => !held.has(partition)),
  }
}

/** MEMORY_MAX that leaves so much for keys, values and their index. */
function memoryMaxOf(mapBytes: number): number {
  let max = 256 * mebibyte
  while (mapBudgetOf({ memoryMax: max })! < mapBytes) max += mebibyte
  return max
}

/** Of memory that the process has had. */
function peakBytes(pid: number): number {
  const [, kibibytes = '0'] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kibibytes) * 1_024
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / mebibyte)} MiB`
}
