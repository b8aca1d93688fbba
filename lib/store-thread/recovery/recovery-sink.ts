/** Puts the fetched batches of a recovery into the map, and notes how far each partition is read. */
import { LatchkeyError } from '../../errors.ts'
import { CommittedBatches } from '../../kafka/committed-batches.ts'
import { isDamage } from '../../kafka/damaged-batches.ts'
import type { FetchSink } from '../../kafka/fetch-sink.ts'
import { listOffsets } from '../../kafka/offsets.ts'
import type { FetchedPartition } from '../../kafka/protocol/fetch.ts'
import { isDebug, isTrace, loggerOf } from '../../log/index.ts'
import type { ChiralMap } from '../../map/index.ts'
import type { FetchConfig } from '../../store-protocol/client-config.ts'
import type { HeaderSelector } from '../../store-protocol/kept-headers.ts'
import type { Stats } from '../../store-protocol/stats.ts'
import { applyRecords } from '../apply.ts'
import { corruptChangelog } from './corrupt-changelog.ts'
import type { DisputedKeys } from './disputed-keys.ts'
import type { MarkerContext } from './own-marker.ts'
import type { OwnTrail } from './own-trail.ts'
import { isUnheld, logUnheld, type UnheldKeys } from './unheld-records.ts'

const log = loggerOf('store')

/** What is known of a partition while it is read. */
export interface RecoveredPosition {
  start: number
  end: number
  position: number
  records: number
  trail: OwnTrail
  disputed: DisputedKeys
  unheld: UnheldKeys
  /** Producer epoch of the marker that ended the recovery; -1 before. */
  endEpoch: number
  done: PromiseWithResolvers<void>
}

/** Without an identity (FENCING=false) a partition ends at the log end offset of the start. */
export interface RecoveryContext extends MarkerContext {
  fetch?: FetchConfig
  /** Undefined with USE_PROCESSING_ONLY. */
  map: ChiralMap | undefined
  stats: Stats
  /** Undefined if no headers are kept. */
  headerSelector?: HeaderSelector | undefined
  /** Number of entries of the partition at its last commit; 0 if unknown. */
  entriesExpected?(partition: number): number
  /** Source offset that the group has committed; -1 if there is none. */
  committed?(partition: number): number
  /** Maximum bytes of disputed keys for one reading of the changelog. */
  keyBytesMax?: number
}

export class RecoverySink implements FetchSink {
  readonly keepsNothing = true
  readonly #context: RecoveryContext
  readonly #progress: Map<number, RecoveredPosition>
  readonly #ended: (partition: number) => void
  readonly #batches = new CommittedBatches()

  /** @param ended called when a partition is read up to its end */
  constructor(context: RecoveryContext, progress: Map<number, RecoveredPosition>, ended: (partition: number) => void) {
    this.#context = context
    this.#progress = progress
    this.#ended = ended
  }

  received(fetched: FetchedPartition, position: number): number | undefined {
    const { partition } = fetched
    const progress = this.#progress.get(partition)!
    try {
      if (this.#takeBatches(fetched, position, progress)) {
        this.#end(partition, progress)
        return undefined
      }
    } catch (error) {
      throw isDamage(error) ? error : corruptChangelog(this.#context.changelogTopic, partition, error)
    }
    this.#progressed(partition, progress)
    return this.#batches.isEnough ? progress.position : undefined
  }

  passOver(partition: number, next: number, fault: LatchkeyError, key?: Buffer): void {
    const { changelogTopic, stats, map } = this.#context
    if (!isUnheld(fault)) throw corruptChangelog(changelogTopic, partition, fault)
    logUnheld(changelogTopic, partition, fault)
    stats.add('foreignWrites', 1)
    const progress = this.#progress.get(partition)!
    if (map !== undefined) progress.unheld.add(key)
    progress.position = Math.max(progress.position, next)
    this.#progressed(partition, progress)
  }

  takenTo(partition: number): number {
    return this.#progress.get(partition)!.position
  }

  damaged(partition: number, fault: LatchkeyError, times: number): never {
    throw corruptChangelog(this.#context.changelogTopic, partition, fault, times)
  }

  room(): undefined {
    return undefined
  }

  async outOfRange(partition: number, position: number): Promise<number> {
    const { client, changelogTopic } = this.#context
    const starts = await listOffsets(client, changelogTopic, [partition], 'earliest')
    const start = starts.get(partition)!
    const progress = this.#progress.get(partition)!
    if (start <= position) {
      throw new LatchkeyError(
        'broker_error',
        `Recovering from ${changelogTopic} partition ${partition}: offset ${position} is out of range`,
      )
    }
    progress.start = start
    return start
  }

  /** Returns whether the owner's marker was among the batches. */
  #takeBatches(fetched: FetchedPartition, position: number, progress: RecoveredPosition): boolean {
    const { partition } = fetched
    const batches = this.#batches
    batches.open(fetched, Math.max(position, progress.position))
    for (let kind = batches.next(); kind !== undefined; kind = batches.next()) {
      const { batch } = batches
      if (kind === 'records') this.#takeRecords(partition, Math.max(position, progress.position), progress)
      else if (kind === 'control') progress.disputed.control(batch, progress.trail)
      progress.position = batch.nextOffset
      if (kind === 'control' && this.#isOwnMarker(partition)) {
        progress.endEpoch = batch.producerEpoch
        return true
      }
    }
    return false
  }

  #takeRecords(partition: number, position: number, progress: RecoveredPosition): void {
    const { map, stats, headerSelector } = this.#context
    const { batch } = this.#batches
    const checkCrc = this.#context.fetch?.checkCrcs ?? true
    const { disputed } = progress
    if (disputed.concerns(batch) && map !== undefined) {
      batch.openRecords({ checkCrc })
      disputed.note(batch, progress.trail.trail, progress.trail.committed)
    }
    batch.openRecords({ checkCrc })
    const trail = progress.trail.of(batch, disputed.isOther)
    const records = applyRecords(map, stats, partition, batch, position, trail, headerSelector)
    progress.records += records
    stats.add('recordsRecovered', records)
    stats.add('bytesRecovered', batch.batchBytes)
    if (isTrace()) {
      const properties = { partition, records, bytes: batch.batchBytes, offset: batch.baseOffset }
      log.trace('Partition {partition}: applied {records} changelog records at offset {offset}', properties)
    }
  }

  /** Includes markers of later epochs: of a fence whose response is still in flight, or of a successor. */
  #isOwnMarker(partition: number): boolean {
    const identity = this.#context.identityOf(partition)
    const { batch } = this.#batches
    return batch.producerId === identity?.producerId && batch.producerEpoch >= identity.producerEpoch
  }

  #progressed(partition: number, progress: RecoveredPosition): void {
    this.#context.stats.setGauge(partition, 'recoveryPosition', progress.position)
    const identity = this.#context.identityOf(partition)
    if (identity === undefined && progress.position >= progress.end) this.#end(partition, progress)
  }

  #end(partition: number, progress: RecoveredPosition): void {
    this.#context.stats.setGauge(partition, 'recoveryPosition', progress.position)
    this.#context.stats.setGauge(partition, 'recoveryEnd', progress.position)
    if (isDebug()) {
      const { records, position: offset } = progress
      const topic = this.#context.changelogTopic
      const properties = { topic, partition, records, offset }
      log.debug('{topic} partition {partition}: read {records} records up to offset {offset}', properties)
    }
    this.#ended(partition)
    progress.done.resolve()
  }
}
