/**
 * Takes snapshots of the partitions while the store runs: when, up to which position, and what they state of the
 * changelog. A failure delays the next snapshot and nothing else.
 */
import { LatchkeyError } from '../../errors.ts'
import { loggerOf } from '../../log/index.ts'
import type { SnapshotFailure } from '../../map/index.ts'
import { ageOf } from '../../store-protocol/snapshot-age.ts'
import type { SnapshotFacts } from '../../store-protocol/snapshot-facts.ts'
import type { Stats } from '../../store-protocol/stats.ts'
import type { RecordTrail } from '../apply.ts'
import type { RestoredSnapshot } from '../recovery/restored-snapshot.ts'
import { isDue, lastOf, type LastSnapshot } from './due.ts'
import { factsNow, type FactsOptions, momentBy } from './facts-now.ts'
import type { SnapshotPartition } from './partition-point.ts'
import type { PartitionSnapshots } from './partition-snapshots.ts'
import { Prerequisites } from './prerequisites.ts'
import { Restorer } from './restorer.ts'
import { SnapshotReport } from './snapshot-report.ts'
import { SnapshotTrail } from './snapshot-trail.ts'

const log = loggerOf('snapshot')

/** Snapshots take at most one part in this many of the time. */
const restFactor = 10
const tickMsMax = 1_000

export interface SnapshotsOptions extends FactsOptions {
  readonly files: PartitionSnapshots
  /** SNAPSHOT_SECONDS. */
  readonly seconds: number
  readonly stats: Stats
  /** Makes everything visible that is in the map. */
  readonly flush: () => Promise<void>
  /** Ends the store with an error. */
  readonly failed: (error: unknown) => void
}

interface Followed {
  readonly source: SnapshotPartition
  readonly trail: SnapshotTrail
  readonly last: LastSnapshot
}

export class Snapshots {
  /** Reads what was taken before. */
  readonly restorer: Restorer
  readonly #options: SnapshotsOptions
  readonly #followed = new Map<number, Followed>()
  /** Also of partitions that are not followed any more. */
  readonly #last = new Map<number, LastSnapshot>()
  readonly #report: SnapshotReport
  readonly #stopping = new AbortController()
  readonly #prerequisites: Prerequisites
  #timer: ReturnType<typeof setInterval> | undefined
  #round: Promise<void> | undefined
  /** The last snapshot that was begun. */
  #taking: { readonly partition: number; readonly ended: Promise<unknown> } | undefined
  /** No snapshot before this time (performance.now()). */
  #restsUntil = 0
  #isLocked: boolean

  /** @param isLocked whether no other process uses the directory */
  constructor(options: SnapshotsOptions, isLocked: boolean) {
    this.restorer = new Restorer(options, isLocked)
    this.#prerequisites = new Prerequisites(options.client, options.changelogTopic)
    this.#options = options
    this.#report = new SnapshotReport(options)
    this.#isLocked = isLocked
  }

  /** No other process uses the directory any more. */
  locked(): void {
    this.#isLocked = true
  }

  /**
   * Follows a partition from now on. If it was followed before, its last snapshot counts, except if it was emptied since.
   * @param records number of changelog records that led to what the map has of it
   * @param restored what that began with
   */
  follow(
    partition: number,
    source: SnapshotPartition,
    records: number,
    trail: SnapshotFacts['trail'] | undefined,
    restored?: RestoredSnapshot,
  ): void {
    const last = restored === undefined ? this.#lastOf(partition, records) : lastOf(restored.facts, performance.now())
    this.#last.set(partition, last)
    this.#followed.set(partition, { source, trail: new SnapshotTrail(records, trail), last })
    if (restored !== undefined) this.#report.is(partition, restored.facts, restored)
  }

  /** Takes no more snapshots of a partition. Resolves when none is being taken, which is soon. */
  async leave(partition: number): Promise<void> {
    this.#followed.delete(partition)
    if (this.#taking?.partition !== partition) return
    this.#options.files.hurry()
    await this.#taking.ended
  }

  /**
   * Returns what follows the records of the next batch.
   * @param base changelog offset of the record at offset 0 of the batch
   * @param other follows the same records
   */
  trailOf(partition: number, base: number, other?: RecordTrail): RecordTrail | undefined {
    const trail = this.#followed.get(partition)?.trail
    return trail === undefined ? other : trail.of(base, other)
  }

  /** Begins to take snapshots. To be called once everything recovered is visible. */
  begin(): void {
    const tickMs = Math.min(tickMsMax, this.#options.seconds * 500)
    this.#timer ??= setInterval(() => this.#tick(), tickMs)
    this.own()
  }

  /** Copies what was restored without being read. To be called once the store answers, and after later restores. */
  own(): void {
    const before = this.#round
    this.#run(async () => {
      await before
      await this.#own()
    })
  }

  /** Takes a last snapshot of what has changed since. To be called when nothing is put into the map any more. */
  async finish(): Promise<void> {
    clearInterval(this.#timer)
    if (!this.#isLocked || this.#options.files.isOff) return
    this.#options.files.hurry(true)
    await this.#round
    const changed = [...this.#followed.keys()].filter((partition) => {
      const { last, source } = this.#followed.get(partition)!
      return (source.point()?.position ?? last.position) !== last.position
    })
    await this.#take(changed)
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#stopping.abort()
    this.#options.files.close()
  }

  #tick(): void {
    if (!this.#isLocked || this.#round !== undefined || performance.now() < this.#restsUntil) return
    const due = this.#due()
    if (due.length === 0) return
    this.#run(() => this.#take(due))
  }

  #run(step: () => Promise<void>): void {
    const round = step()
      .catch(this.#options.failed)
      .finally(() => {
        if (this.#round === round) this.#round = undefined
      })
    this.#round = round
  }

  async #own(): Promise<void> {
    const failure = await this.#options.files.own()
    if (failure === undefined || failure.reason === 'closed') return
    const { changelogTopic } = this.#options
    const message = 'Copying the snapshots of {changelogTopic} into memory: {found}. The next snapshot tries it again'
    log.warn(message, { changelogTopic, found: failure.message })
  }

  /** @param records as of follow(): none if the partition was emptied */
  #lastOf(partition: number, records: number): LastSnapshot {
    const last = this.#last.get(partition)
    if (last !== undefined && records > 0 && last.records <= records) return last
    return { endedAt: -Infinity, position: -1, records: -1, takenAt: undefined, agesAtMs: 0 }
  }

  #due(): number[] {
    const now = performance.now()
    const due: number[] = []
    for (const [partition, { source, trail, last }] of this.#followed) {
      const point = source.point()
      if (point === undefined) continue
      const isAging = last.takenAt !== undefined && ageOf(last.takenAt, momentBy(point)).ms >= last.agesAtMs
      if (isDue(last, point.position, trail.records, this.#options.seconds, now, isAging)) due.push(partition)
    }
    return due
  }

  /** Takes a snapshot of each partition, one after the other. Rejects only for a defect. */
  async #take(partitions: readonly number[]): Promise<void> {
    if (partitions.length === 0) return
    const start = performance.now()
    let busySeconds = 0
    try {
      const deleteRetentionMs = await this.#prerequisites.deleteRetentionMs()
      if (deleteRetentionMs === undefined) return
      for (const partition of partitions) {
        const taking = this.#takeOne(partition, deleteRetentionMs)
        this.#taking = { partition, ended: taking.catch(() => {}) }
        busySeconds += await taking
      }
    } catch (error) {
      // Kafka did not answer. What it says is in the client's health, and the next turn asks again.
      if (!(error instanceof LatchkeyError)) throw error
      log.debug('No snapshot now: {fault}', { fault: error.message })
    }
    this.#restsUntil = start + busySeconds * (1 + restFactor) * 1_000
  }

  /** @returns the seconds that it took to write it, without pauses */
  async #takeOne(partition: number, deleteRetentionMs: number): Promise<number> {
    const followed = this.#followed.get(partition)
    const { signal } = this.#stopping
    const facts = followed && (await factsNow(this.#options, partition, followed, deleteRetentionMs, signal))
    if (facts === undefined || signal.aborted) return 0
    await this.#options.flush()
    if (this.#followed.get(partition) !== followed) return 0 // it leaves
    const result = await this.#options.files.take(partition, facts)
    Object.assign(followed!.last, { endedAt: performance.now(), records: facts.records })
    if (result.kind === 'failed') {
      this.#failed(partition, result)
      return 0
    }
    Object.assign(followed!.last, lastOf(facts, performance.now()))
    this.#report.taken(partition, facts, result)
    return result.busySeconds
  }

  #failed(partition: number, failure: SnapshotFailure): void {
    if (failure.reason === 'closed') return
    const { isOff } = this.#options.files
    this.#report.failed(partition, failure, isOff)
    if (isOff) clearInterval(this.#timer)
  }
}
