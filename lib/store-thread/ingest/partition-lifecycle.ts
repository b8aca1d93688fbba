/**
 * Events of partitions in a running store (caught up, lost, written by others), and the reactions to them. What repair/
 * and reread/ do about an event is behind an interface, because they are made from ingest.
 */
import { LatchkeyError } from '../../errors.ts'
import { listOffsets } from '../../kafka/offsets.ts'
import type { OffsetRange } from '../../kafka/producer.ts'
import type { ProducerIdentity } from '../../kafka/transactional-id.ts'
import { loggerOf } from '../../log/index.ts'
import { partitionStateOf, setPartitionState } from '../../store-protocol/partition-state.ts'
import { nounFor } from '../../text/counted.ts'
import { clientsConfigOf } from '../../topics/clients.ts'
import { logLostRecords, resetRefused } from '../recovery/resume.ts'
import type { StoreContext } from '../store-context.ts'
import type { CatchUp } from './catch-up.ts'
import { logCaughtUp } from './caught-up.ts'
import { showRebuilt } from './hidden-rebuild.ts'
import { fencedAdvice, type PartitionOwnership } from './partition-ownership.ts'
import type { Halt } from './read-state.ts'

const log = loggerOf('store')

/** Corrects changelogs that lost records: repair/repairs.ts. */
export interface RepairReaction {
  /** Whether the changelog of the partition has lost records; then a repair takes the partition. */
  beginsInstead(partition: number): Promise<boolean>
  landedBelow(partition: number, baseOffset: number): void
}

/** Corrects changelogs that another writer changed: repair/contests.ts. */
export interface ContestReaction {
  found(partition: number, range: OffsetRange): void
}

/** Corrects partitions whose source was recreated or truncated: reread/source-watch.ts. */
export interface SourceReaction {
  epochBegan(partition: number): void
  hasChanged(partition: number, position: number): Promise<boolean>
}

export class PartitionLifecycle {
  /** To be called before each request that writes to the changelog. */
  readonly beforeWrite: () => void
  readonly #context: StoreContext
  readonly #ownership: PartitionOwnership
  #catchUp: CatchUp | undefined
  #repairs: RepairReaction | undefined
  #source: SourceReaction | undefined
  #isCaughtUp = false
  readonly #lost = new Set<number>()
  #taken: (partition: number) => void = () => {}
  #contests: ContestReaction | undefined

  constructor(context: StoreContext, ownership: PartitionOwnership, beforeWrite: () => void) {
    this.beforeWrite = beforeWrite
    this.#context = context
    this.#ownership = ownership
  }

  /** To be called before anything is written. */
  repairBy(repairs: RepairReaction, contests: ContestReaction): void {
    this.#repairs = repairs
    this.#contests = contests
  }

  /** Calls a function when another instance has taken a partition. */
  onTaken(listener: (partition: number) => void): void {
    this.#taken = listener
  }

  /** To be called before anything is read from the source. */
  watchBy(source: SourceReaction): void {
    this.#source = source
  }

  /** Called at the first record of another leader epoch. */
  epochBegan(partition: number): void {
    this.#source?.epochBegan(partition)
  }

  /**
   * Called if the source does not have a position.
   * @returns whether the source was recreated or truncated, so that it is read from elsewhere
   */
  async hasSourceChanged(partition: number, position: number): Promise<boolean> {
    return (await this.#source?.hasChanged(partition, position)) ?? false
  }

  /**
   * To be called when everything recovered is visible. Sets the partitions to `running`, except those that are being
   * rebuilt.
   */
  begin(catchUp: CatchUp): void {
    const { stats, post, roles } = this.#context
    this.#catchUp = catchUp
    for (const partition of roles.primaries) {
      const isLost = this.#lost.has(partition)
      setPartitionState(stats, partition, catchUp.rebuilds(partition) ? 'rebuilding' : isLost ? 'fenced' : 'running')
      if (isLost) catchUp.drop(partition)
    }
    if (!catchUp.isRebuilding) post({ type: 'state', state: 'running' })
    if (this.#lost.size > 0 && catchUp.isDone) this.#caughtUp()
  }

  /** To be called when a partition was taken while the store runs. */
  took(partition: number): void {
    this.#lost.delete(partition)
    setPartitionState(this.#context.stats, partition, this.#catchUp!.rebuilds(partition) ? 'rebuilding' : 'running')
  }

  /** To be called when a partition is given up while the store runs. */
  left(partition: number): void {
    this.#lost.delete(partition)
    this.#drop(partition, this.#catchUp!)
  }

  /** Called when the changelog has acknowledged a partition up to a source offset. */
  progressed(partition: number, acknowledged: number): void {
    if (this.#catchUp?.progressed(partition, acknowledged)) this.#arrive(partition).catch(this.#context.failed)
  }

  /**
   * Takes a partition again. Rejects with `fenced` if another instance owns it. Returns undefined if its changelog has
   * lost records; then the repair takes it.
   * @param end changelog offset up to which the batches are known to be ours
   */
  async renew(partition: number, end: number): Promise<ProducerIdentity | undefined> {
    if (await this.#repairs?.beginsInstead(partition)) return undefined
    log.info('Partition {partition}: taking the changelog again', { partition })
    return this.#ownership.renew(partition, end)
  }

  /** Returns where to resume if the source no longer has the position. */
  async outOfRange(partition: number, position: number): Promise<number> {
    const { clients, config } = this.#context
    const { sourceTopic } = config
    const starts = await listOffsets(clients.consumer, sourceTopic, [partition], 'earliest')
    const start = starts.get(partition)!
    if (position >= start) {
      const found = `offset ${position} is past its end: the topic was recreated or truncated; start again to rebuild from it`
      throw new LatchkeyError('store_failed', `Reading ${sourceTopic} partition ${partition}: ${found}`)
    }
    const reset = clientsConfigOf(config).consumer.offsetReset
    if (reset === 'error') {
      throw resetRefused(sourceTopic, partition, `it begins at offset ${start}, and ${position} is next`)
    }
    const ends = reset === 'latest' ? await listOffsets(clients.consumer, sourceTopic, [partition], 'latest') : starts
    const next = ends.get(partition)!
    logLostRecords(sourceTopic, partition, next - position, next, reset)
    return next
  }

  /**
   * Called with ON_BAD_RECORD=stop when a record cannot be stored. The partition continues to be served, and nothing is
   * consumed from that record on. The reason is shown without a token, by probes: the log alone may quote the record.
   */
  halted(partition: number, { offset, fault, what }: Halt): void {
    const { stats, config, post } = this.#context
    const reasonWith = (found: string) =>
      `${config.sourceTopic} partition ${partition}: halted at offset ${offset}, ${found}; correct the module or the format and restart, or set ON_BAD_RECORD=skip`
    setPartitionState(stats, partition, 'halted')
    post({ type: 'halted', partition, reason: reasonWith(what === fault ? fault : `${what} (see the log)`) })
    log.error('{reason}', { reason: reasonWith(fault) })
  }

  /** Called when another instance has taken the partition. */
  lost(partition: number, error: LatchkeyError): void {
    const { stats, config, post } = this.#context
    this.#lost.add(partition)
    // A partition in rebuild lacks keys, so it keeps its state, and lookups that find nothing report it.
    if (this.#catchUp?.rebuilds(partition) !== true) setPartitionState(stats, partition, 'fenced')
    if (config.elastic === undefined) {
      const reason = fencedAdvice(config.storeId, partition)
      post({ type: 'fenced', partition, reason })
      log.error('{fault}, so {reason}', { fault: error.message, reason })
    } else {
      const found = 'another instance of the group has taken the partition, and this one keeps a copy'
      log.warn('{fault}, so {found}', { fault: error.message, found })
    }
    if (this.#catchUp !== undefined) this.#drop(partition, this.#catchUp)
    this.#taken(partition)
  }

  /** Called when our batch landed after offsets that may not be ours: records of another writer, or a marker. */
  foreignOffsets(partition: number, range: OffsetRange): void {
    this.#contests?.found(partition, range)
  }

  /**
   * Called when our batch landed below what we had written, so records are missing. The producer then renews the
   * partition.
   */
  changelogWentBack(partition: number, baseOffset: number): void {
    this.#repairs?.landedBelow(partition, baseOffset)
  }

  /** Removes a lost partition. The store may have waited for this partition only. */
  #drop(partition: number, catchUp: CatchUp): void {
    const { flusher, post, failed } = this.#context
    const wasRebuilding = catchUp.isRebuilding
    catchUp.drop(partition)
    if (wasRebuilding && !catchUp.isRebuilding) post({ type: 'state', state: 'running' })
    if (catchUp.isDone && !this.#isCaughtUp) flusher.flush().then(() => this.#caughtUp(), failed)
  }

  #rebuilt(): void {
    const { stats, post, config, roles } = this.#context
    const entries = roles.primaries.reduce((sum, partition) => sum + Math.max(stats.gauge(partition, 'entries'), 0), 0)
    const { sourceTopic } = config
    const noun = nounFor(entries, 'entry', 'entries')
    log.info(`Rebuilt from {sourceTopic}: {entries} ${noun}, lookups are answered`, { sourceTopic, entries })
    post({ type: 'state', state: 'running' })
  }

  /**
   * Called when a partition has reached the end that its source had at start. It counts once the records are visible.
   */
  async #arrive(partition: number): Promise<void> {
    const { stats, flusher } = this.#context
    const catchUp = this.#catchUp!
    const isLast = catchUp.isDone
    await flusher.flush()
    if (catchUp.arrived(partition)) {
      if (partitionStateOf(stats, partition) !== 'halted') setPartitionState(stats, partition, 'running')
      showRebuilt(this.#context, partition)
      if (!catchUp.isRebuilding) this.#rebuilt()
    }
    if (isLast) this.#caughtUp()
  }

  #caughtUp(): void {
    const { stats, post, config, roles } = this.#context
    if (this.#isCaughtUp) return
    this.#isCaughtUp = true
    if (roles.primaries.some((partition) => stats.gauge(partition, 'caughtUp') === 1)) logCaughtUp(config, stats)
    post({ type: 'caught-up' })
  }
}
