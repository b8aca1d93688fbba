/** Reads snapshots into the map when partitions come, and reports what it found of them. */
import { loggerOf } from '../../log/index.ts'
import { type SnapshotRefusal, snapshotRefusals } from '../../store-protocol/snapshot-refusal.ts'
import type { Stats } from '../../store-protocol/stats.ts'
import type { RestoredSnapshot } from '../recovery/restored-snapshot.ts'
import type { RefusedSnapshot } from '../recovery/snapshot-check.ts'
import {
  askChangelog,
  type CheckInput,
  checkSnapshots,
  type ReadSnapshot,
  readSnapshot,
  type RestoreOutcome,
} from './restore.ts'

const log = loggerOf('snapshot')

/** Partitions that are read at the same time. */
const readsMax = 2

/** Maximum number of partitions that a line names. */
const namedMax = 20

export interface RestorerOptions extends Pick<CheckInput, 'changelogTopic' | 'files' | 'keepHeaders'> {
  readonly stats: Stats
}

export class Restorer {
  readonly #options: RestorerOptions
  readonly #isLocked: boolean
  /** What is being read, by partition. */
  readonly #reading = new Map<number, Promise<ReadSnapshot>>()
  /** Resolves when there is a snapshot. */
  readonly #found = Promise.withResolvers<void>()

  /** @param isLocked whether no other process uses the directory */
  constructor(options: RestorerOptions, isLocked: boolean) {
    this.#options = options
    this.#isLocked = isLocked
  }

  /** Begins to read snapshots of partitions that are empty. restore() must follow. */
  begin(partitions: readonly number[]): void {
    if (!this.#isLocked) return
    // While the log of one is checked in another thread, this one translates the index of the next.
    const lanes: Promise<unknown>[] = Array.from({ length: readsMax }, () => Promise.resolve())
    for (const [index, partition] of partitions.entries()) {
      const lane = index % readsMax
      const reading = lanes[lane]!.then(() => readSnapshot(this.#options.files, partition, this.#found.resolve))
      reading.catch(() => {})
      this.#reading.set(partition, reading)
      lanes[lane] = reading
    }
  }

  /**
   * Reads snapshots of partitions, and empties those again that may not be used.
   * @returns what was read, by partition
   */
  async restore(
    partitions: readonly number[],
    asks: Pick<CheckInput, 'client' | 'identityOf' | 'rebuildOf'>,
  ): Promise<Map<number, RestoredSnapshot>> {
    const { changelogTopic, stats } = this.#options
    const restored = new Map<number, RestoredSnapshot>()
    if (!this.#isLocked) {
      for (const partition of partitions) noteRefusal(stats, partition, 'locked')
      return restored
    }
    this.begin(partitions.filter((partition) => !this.#reading.has(partition)))
    const input = { ...this.#options, ...asks }
    const reading = Promise.all(partitions.map(async (each) => [each, await this.#reading.get(each)!] as const))
    // Kafka is asked while snapshots are read.
    const isFound = await Promise.race([this.#found.promise.then(() => true), reading.then(() => false)])
    const asking = isFound ? askChangelog(input, partitions) : { now: new Map<number, never>(), deleteRetentionMs: 0 }
    const [read, asked] = await Promise.all([reading, asking])
    const outcomes = await checkSnapshots(input, new Map(read), asked)
    // A partition may leave, and come again.
    for (const partition of partitions) this.#reading.delete(partition)
    report(changelogTopic, stats, outcomes)
    for (const [partition, outcome] of outcomes) {
      if (outcome.restored !== undefined) restored.set(partition, outcome.restored)
    }
    return restored
  }

  /** Notes that the changelog does not continue what was read of a partition. */
  voided(partition: number, { reason, found }: RefusedSnapshot): void {
    const { changelogTopic, stats } = this.#options
    noteRefusal(stats, partition, reason)
    logRefused(changelogTopic, [partition], found, false)
  }
}

function noteRefusal(stats: Stats, partition: number, reason: SnapshotRefusal): void {
  stats.setGauge(partition, 'snapshotRefusal', snapshotRefusals.indexOf(reason))
}

/** Partitions whose snapshots are refused for the same reason. */
interface RefusedPartitions {
  /** Of the first. */
  readonly found: string
  /** Whether another one states something else: other offsets, or another file. */
  differs: boolean
  readonly isReplaced: boolean
  readonly partitions: number[]
}

/** Notes what each partition begins with, and logs why snapshots were not used. */
function report(changelogTopic: string, stats: Stats, outcomes: ReadonlyMap<number, RestoreOutcome>): void {
  const byReason = new Map<string, RefusedPartitions>()
  for (const [partition, { restored, refusals }] of outcomes) {
    const [refused] = refusals
    const isReplaced = restored !== undefined
    noteRefusal(stats, partition, isReplaced ? 'used' : (refused?.reason ?? 'none'))
    if (refused === undefined) continue
    const key = `${refused.reason} ${isReplaced}`
    const known = byReason.get(key)
    if (known !== undefined) {
      known.partitions.push(partition)
      known.differs ||= known.found !== refused.found
      continue
    }
    byReason.set(key, { found: refused.found, differs: false, isReplaced, partitions: [partition] })
  }
  for (const { found, differs, isReplaced, partitions } of byReason.values()) {
    logRefused(changelogTopic, partitions, differs ? `${found} (partition ${partitions[0]})` : found, isReplaced)
  }
}

/** @param isReplaced whether the snapshot before it is used */
function logRefused(changelogTopic: string, partitions: readonly number[], found: string, isReplaced: boolean): void {
  const named = partitions.slice(0, namedMax).join(', ')
  const more = partitions.length > namedMax ? ` and ${partitions.length - namedMax} more` : ''
  const which = partitions.length === 1 ? `partition ${named}` : `partitions ${named}${more}`
  const instead = isReplaced ? 'The one before it is used' : 'The changelog is read from its start'
  const message = 'The last snapshot of {changelogTopic} {which} is not used: {found}. {instead}'
  log.warn(message, { changelogTopic, which, found, instead })
}
