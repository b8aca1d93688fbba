/**
 * Handles another writer to one of the store's changelog partitions: an earlier instance that the broker no longer
 * refuses, or another program. Taking the partition again shows whether it is a later instance. If not, values that it
 * replaced by older ones are written again from the map. The number of such repairs is bounded, because two instances
 * that both repair would continue endlessly.
 */
import { LatchkeyError } from '../../errors.ts'
import { listOffsets } from '../../kafka/offsets.ts'
import type { OffsetRange } from '../../kafka/producer.ts'
import type { RecordBatchReader } from '../../kafka/record-batch/index.ts'
import { loggerOf } from '../../log/index.ts'
import { withoutHeaders } from '../../store-protocol/header-prefix.ts'
import { hasHeaderPrefix } from '../../store-protocol/kept-headers.ts'
import { partitionStateOf, setPartitionState } from '../../store-protocol/partition-state.ts'
import { nounFor } from '../../text/counted.ts'
import type { Amendment } from '../ingest/amendment.ts'
import type { Ingest } from '../ingest/ingest.ts'
import type { PartitionOwnership } from '../ingest/partition-ownership.ts'
import { corruptChangelog } from '../recovery/corrupt-changelog.ts'
import { isAbortMarker } from '../recovery/succession.ts'
import { logUnheld } from '../recovery/unheld-records.ts'
import type { StoreContext } from '../store-context.ts'
import { type Contest, mayRepair, newContest, repairsMax } from './contest.ts'
import { type ForeignRecord, foreignRecords } from './foreign-records.ts'
import { ForeignReport } from './foreign-report.ts'

const log = loggerOf('store')

export class Contests {
  readonly #context: StoreContext
  readonly #ownership: PartitionOwnership
  readonly #ingest: Ingest
  readonly #contests = new Map<number, Contest>()
  readonly #report: ForeignReport
  /** Partitions whose outdated keys are being written again, or that have records of others, of which some may stay. */
  readonly #open = new Set<number>()
  /** Searches and repairs that have not ended. */
  readonly #running = new Set<Promise<unknown>>()

  constructor(context: StoreContext, ownership: PartitionOwnership, ingest: Ingest) {
    this.#context = context
    this.#ownership = ownership
    this.#ingest = ingest
    this.#report = new ForeignReport(context)
  }

  /**
   * Writes keys again if an older record follows their newest one in the changelog. To be called before the source is
   * read.
   */
  foundAtStart(partition: number, keys: readonly Buffer[]): void {
    if (keys.length === 0) return
    const after = this.#ingest.acknowledged(partition) - 1
    this.#open.add(partition)
    const amending = this.#ingest.amend(partition, (amendment) => writeAgain(amendment, keys, after))
    this.#run(amending.then(() => void this.#open.delete(partition)))
  }

  /** Whether the changelog may have records of another writer that the map does not have. */
  isOpen(partition: number): boolean {
    const contest = this.#contests.get(partition)
    return this.#open.has(partition) || contest?.looking !== undefined || contest?.isContested === true
  }

  /** Whether records of another writer may be below an offset that the map does not have. */
  mayBeBelow(partition: number, offset: number): boolean {
    const { due, looking, isContested = false } = this.#contests.get(partition) ?? {}
    const from = Math.min(due?.from ?? Number.POSITIVE_INFINITY, looking?.from ?? Number.POSITIVE_INFINITY)
    return this.#open.has(partition) || isContested || from < offset
  }

  /** Changelog offset up to which records of other writers were looked for. */
  lookedTo(partition: number): number {
    return this.#contests.get(partition)?.lookedTo ?? 0
  }

  /** Reports a range of changelog offsets that are not known to be ours: records of another writer, or markers. */
  found(partition: number, { from, to }: OffsetRange): void {
    const contest = this.#contestOf(partition)
    const start = Math.max(from, contest.lookedTo)
    if (to <= start) return
    const { due } = contest
    contest.due =
      due === undefined ? { from: start, to } : { from: Math.min(due.from, start), to: Math.max(due.to, to) }
    if (contest.looking !== undefined) return
    this.#run(this.#look(partition, contest))
  }

  /** Resolves when everything that was found up to now is written again. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.race(this.#running)
  }

  /** Forgets a partition that is given up. */
  left(partition: number): void {
    this.#contests.delete(partition)
    this.#open.delete(partition)
  }

  #run(step: Promise<void>): void {
    const running = step
      .catch((error: unknown) => {
        if (!(error instanceof LatchkeyError) || error.code !== 'stopping') this.#context.failed(error)
      })
      .finally(() => this.#running.delete(running))
    this.#running.add(running)
  }

  #isOwned(partition: number): boolean {
    return this.#ingest.changelogEnd(partition) >= 0
  }

  #contestOf(partition: number): Contest {
    const known = this.#contests.get(partition)
    if (known !== undefined) return known
    const contest = newContest()
    this.#contests.set(partition, contest)
    return contest
  }

  async #look(partition: number, contest: Contest): Promise<void> {
    try {
      for (let { due } = contest; due !== undefined; due = contest.due) {
        contest.due = undefined
        const from = Math.max(due.from, contest.lookedTo)
        if (due.to <= from) continue
        contest.looking = { from, to: due.to }
        contest.lookedTo = Math.max(from, await this.#lookAt(partition, contest, contest.looking))
      }
    } finally {
      contest.looking = undefined
    }
  }

  /** @returns the offset up to which the search is complete */
  async #lookAt(partition: number, contest: Contest, range: OffsetRange): Promise<number> {
    const { config } = this.#context
    contest.isCounted = false
    const { unheldTo } = contest
    let { records, next } = await this.#read(partition, contest, range)
    const isFound = records.size > 0 || contest.unheldTo !== unheldTo
    if (config.elastic !== undefined && (isFound || contest.markedAt > this.#ownership.term(partition))) {
      // It is another instance of the group in most cases, and this one is fenced. If not, the next marker is ours: other
      // instances take the newest one for that of the owner.
      await this.#ingest.repairs.renewed(partition)
      if (!this.#isOwned(partition)) return range.from
    }
    if (!isFound) return range.to
    this.#report.found(partition, range.to)
    if (!config.fencing) this.#open.add(partition)
    if (config.useProcessingOnly || contest.isContested) return range.to
    let { to } = range
    if (config.fencing) {
      if (config.elastic === undefined) await this.#ingest.repairs.renewed(partition)
      // The earlier read may miss records that an earlier instance wrote before it was refused.
      to = Math.max(to, await this.#end(partition))
      ;({ records, next } = await this.#read(partition, contest, { from: range.from, to }))
    }
    while (this.#isOwned(partition)) {
      if (records.size > 0) await this.#repair(partition, contest, records)
      if (next >= to) break
      ;({ records, next } = await this.#read(partition, contest, { from: next, to }))
    }
    return to
  }

  async #read(partition: number, contest: Contest, range: OffsetRange) {
    const { clients, config } = this.#context
    const { changelogTopic } = config
    const unheld = (fault: LatchkeyError, next: number) => {
      if (next <= contest.unheldTo) return
      contest.unheldTo = next
      logUnheld(changelogTopic, partition, fault)
    }
    const marker = (batch: RecordBatchReader, isOwn: boolean) => {
      if (isOwn) this.#ownership.noteMarker(partition, batch.baseOffset)
      else if (isAbortMarker(batch)) contest.markedAt = batch.baseOffset
    }
    const isOwn = this.#ownership.isOwn(partition)
    try {
      return await foreignRecords(clients.changelog, changelogTopic, partition, range, isOwn, { unheld, marker })
    } catch (error) {
      throw corruptChangelog(changelogTopic, partition, error)
    }
  }

  async #end(partition: number): Promise<number> {
    const { clients, config } = this.#context
    const client = clients.changelog
    const ends = await client.retryForever(() => listOffsets(client, config.changelogTopic, [partition], 'latest'))
    return ends.get(partition)!
  }

  /**
   * Repairs a portion. In the amendment nothing of the partition is in flight, and the map has everything that was
   * acknowledged.
   */
  async #repair(partition: number, contest: Contest, records: ReadonlyMap<string, ForeignRecord>): Promise<void> {
    let keys = 0
    const isDone = await this.#ingest.amend(partition, async (amendment) => {
      const reached = this.#ingest.acknowledged(partition) - 1
      const wrong = [...records].filter(([key, record]) => this.#isWrong(partition, key, record, reached))
      if (wrong.length === 0) return
      if (!mayRepair(contest, performance.now())) return this.#giveUp(partition, contest)
      keys = wrong.length
      await writeAgain(
        amendment,
        wrong.map(([key]) => Buffer.from(key, 'latin1')),
        reached,
      )
    })
    if (!isDone || keys === 0) return
    const message = `{changelogTopic} partition {partition}: wrote {keys} ${nounFor(keys, 'key')} again that another writer had replaced`
    log.warn(message, { changelogTopic: this.#context.config.changelogTopic, partition, keys })
  }

  /**
   * Whether a foreign record has replaced something newer. Without fencing, a record ahead of our writes may be from
   * another store, and ingest replaces it when the source is read up to there. With fencing, no later owner exists, so
   * no one can be ahead.
   */
  #isWrong(partition: number, key: string, { order, value }: ForeignRecord, reached: number): boolean {
    const { map, config } = this.#context
    if (!config.fencing && Math.floor(order) > reached) return false
    if (value === undefined) return true
    const stored = map.latest(partition, Buffer.from(key, 'latin1'))?.value
    if (stored === undefined || value === null) return (stored === undefined) !== (value === null)
    return !value.equals(hasHeaderPrefix(config) ? withoutHeaders(stored) : stored)
  }

  #giveUp(partition: number, contest: Contest): void {
    if (contest.isContested) return
    contest.isContested = true
    const { stats, post, config } = this.#context
    const found = `contested: another writer keeps replacing values that were written again ${repairsMax} times within ten minutes`
    const reason = `${config.changelogTopic} partition ${partition}: ${found}; find and stop it, then restart this store`
    if (partitionStateOf(stats, partition) === 'running') setPartitionState(stats, partition, 'contested')
    log.error('{reason}', { reason })
    post({ type: 'contested', partition, reason })
  }
}

async function writeAgain(amendment: Amendment, keys: readonly Buffer[], after: number): Promise<void> {
  for (const key of keys) await amendment.append(key, after)
}
