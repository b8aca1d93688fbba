/** What happens to the partitions of a running store, and what follows from it: they arrive, are lost, are written to by others. */
import { LatchkeyError } from '../../errors.ts'
import { type ProducerIdentity } from '../../kafka/transactional-id.ts'
import { listOffsets } from '../../kafka/offsets.ts'
import { type OffsetRange } from '../../kafka/producer.ts'
import { loggerOf } from '../../log/index.ts'
import { type CatchUp } from './catch-up.ts'
import { logCaughtUp } from './caught-up.ts'
import { type Contests } from '../repair/contests.ts'
import { type SourceWatch } from '../reread/source-watch.ts'
import { type Repairs } from '../repair/repairs.ts'
import { fencedAdvice, type Owners } from './owners.ts'
import { type Halt } from './partition-ingest.ts'
import { resetRefused, tellLost } from '../recovery/resumption.ts'
import { partitionStateOf, setPartitionState } from '../../store-protocol/partition-state.ts'
import { clientsConfigOf } from '../../topics/clients.ts'
import { type StoreContext } from '../store-context.ts'

const log = loggerOf('store')

export interface IngestContext extends StoreContext {
  readonly events: PartitionEvents
}

export class PartitionEvents {
  /** To be called before each request that writes the changelog. */
  readonly beforeWrite: () => void
  readonly #context: StoreContext
  readonly #owners: Owners
  #catchUp: CatchUp | undefined
  #repairs: Repairs | undefined
  #source: SourceWatch | undefined
  #isCaughtUp = false
  readonly #lost = new Set<number>()
  #contests: Contests | undefined

  constructor(context: StoreContext, owners: Owners, beforeWrite: () => void) {
    this.beforeWrite = beforeWrite
    this.#context = context
    this.#owners = owners
  }

  /** To be called before anything is written. */
  repairBy(repairs: Repairs, contests: Contests): void {
    this.#repairs = repairs
    this.#contests = contests
  }

  /** To be called before anything is read of the source. */
  watchBy(source: SourceWatch): void {
    this.#source = source
  }

  /** Records of another leader epoch have come. */
  epochBegan(partition: number): void {
    this.#source?.epochBegan(partition)
  }

  /** A position is not in the source. @returns whether that was recreated or truncated: then it is read from elsewhere */
  async hasSourceChanged(partition: number, position: number): Promise<boolean> {
    return (await this.#source?.hasChanged(partition, position)) ?? false
  }

  /** Everything recovered is visible: the partitions run, but for those that are rebuilt. */
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

  /** A partition is acknowledged up to here. */
  progressed(partition: number, acknowledged: number): void {
    if (this.#catchUp?.progressed(partition, acknowledged)) this.#arrive(partition).catch(this.#context.failed)
  }

  /**
   * Takes the partition again; rejects with `fenced` if it is another instance's. Undefined where its changelog has lost records: then the repair takes it.
   * @param end of what is known to be ours
   */
  async renew(partition: number, end: number): Promise<ProducerIdentity | undefined> {
    if (await this.#repairs?.beginsInstead(partition)) return undefined
    log.info('Partition {partition}: taking the changelog anew', { partition })
    return this.#owners.renew(partition, end)
  }

  /** The position is not in the source any more: where to go on. */
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
    if (reset === 'error')
      throw resetRefused(sourceTopic, partition, `it begins at offset ${start}, and ${position} is next`)
    const ends = reset === 'latest' ? await listOffsets(clients.consumer, sourceTopic, [partition], 'latest') : starts
    const next = ends.get(partition)!
    tellLost(sourceTopic, partition, next - position, next, reset)
    return next
  }

  /** A record cannot be stored, and ON_BAD_RECORD=stop: what is held is served, and nothing is consumed from there on. */
  halted(partition: number, { offset, fault }: Halt): void {
    const { stats, config, post } = this.#context
    const found = `${config.sourceTopic} partition ${partition}: halted at offset ${offset}, ${fault}`
    const reason = `${found}; correct the module or the format and restart, or set ON_BAD_RECORD=skip`
    setPartitionState(stats, partition, 'halted')
    post({ type: 'halted', partition, reason })
    log.error('{reason}', { reason })
  }

  /** Another instance has taken the partition. */
  lost(partition: number, error: LatchkeyError): void {
    const { stats, config, post } = this.#context
    const reason = fencedAdvice(config.storeId, partition)
    this.#lost.add(partition)
    // What was to be rebuilt has not all of its keys: it goes on saying so where one is not found.
    if (this.#catchUp?.rebuilds(partition) !== true) setPartitionState(stats, partition, 'fenced')
    post({ type: 'fenced', partition, reason })
    log.error('{fault}: {reason}', { fault: error.message, reason })
    if (this.#catchUp !== undefined) this.#drop(partition, this.#catchUp)
  }

  /** Our batch landed behind something that is perhaps not ours: records of another writer, or a marker. */
  foreignOffsets(partition: number, range: OffsetRange): void {
    this.#contests?.found(partition, range)
  }

  /** Our batch landed before what we had written already: what was there is missing. Renews the partition. */
  changelogWentBack(partition: number, baseOffset: number): void {
    this.#repairs?.landedBelow(partition, baseOffset)
  }

  /** The others may have waited for it alone. */
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
    log.info('Rebuilt from {sourceTopic}: {entries} entries, lookups are answered', { sourceTopic, entries })
    post({ type: 'state', state: 'running' })
  }

  /** A partition has reached the end that its source had at start: once that is visible, it counts. */
  async #arrive(partition: number): Promise<void> {
    const { stats, flusher } = this.#context
    const catchUp = this.#catchUp!
    const isLast = catchUp.isDone
    await flusher.flush()
    if (catchUp.arrived(partition)) {
      if (partitionStateOf(stats, partition) !== 'halted') setPartitionState(stats, partition, 'running')
      if (!catchUp.isRebuilding) this.#rebuilt()
    }
    if (isLast) this.#caughtUp()
  }

  #caughtUp(): void {
    const { stats, post, config } = this.#context
    if (this.#isCaughtUp) return
    this.#isCaughtUp = true
    logCaughtUp(config, stats)
    post({ type: 'caught-up' })
  }
}
