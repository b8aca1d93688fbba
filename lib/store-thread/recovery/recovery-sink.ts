/** Puts what a recovery reads of the changelog into the map, and collects the input of the resume decision. */
import { LatchkeyError } from '../../errors.ts'
import { listOffsets } from '../../kafka/offsets.ts'
import type { RecordBatchReader } from '../../kafka/record-batch/index.ts'
import { isDebug, loggerOf } from '../../log/index.ts'
import type { ChiralMap } from '../../map/index.ts'
import type { FetchConfig } from '../../store-protocol/client-config.ts'
import type { HeaderSelector } from '../../store-protocol/kept-headers.ts'
import type { Stats } from '../../store-protocol/stats.ts'
import { applyRecords } from '../apply.ts'
import { BrokerClock } from '../broker-clock.ts'
import type { ChangelogPosition, ChangelogSink } from '../changelog-reader.ts'
import type { MemoryGuard } from '../memory/memory-guard.ts'
import type { Strangers } from '../strangers.ts'
import type { DisputedKeys } from './disputed-keys.ts'
import type { MarkerContext } from './own-marker.ts'
import type { OwnTrail } from './own-trail.ts'
import type { RestoredSnapshot } from './restored-snapshot.ts'
import type { RefusedSnapshot } from './snapshot-check.ts'
import type { UnheldKeys } from './unheld-records.ts'

const log = loggerOf('store')

/** What is known of a partition while it is read. */
export interface RecoveredPosition extends ChangelogPosition {
  /** Log start offset. */
  start: number
  /** Log end offset at start. */
  readonly end: number
  records: number
  readonly trail: OwnTrail
  readonly disputed: DisputedKeys
  readonly unheld: UnheldKeys
  /** Producer epoch of the marker that ended the recovery; -1 before. */
  endEpoch: number
  /** The broker's clock, by that marker. */
  clock: BrokerClock | undefined
  /** What was in the map before. It is void if the changelog does not continue it. */
  readonly restored: RestoredSnapshot | undefined
  isVoid: boolean
  readonly done: PromiseWithResolvers<void>
}

/** Without an identity (FENCING=false) a partition ends at the log end offset of the start. */
export interface RecoveryContext extends MarkerContext {
  fetch?: FetchConfig
  /** Undefined with USE_PROCESSING_ONLY. */
  map: ChiralMap | undefined
  stats: Stats
  /** Absent where nothing bounds it. */
  memory?: Pick<MemoryGuard, 'checkRecovery'>
  strangers?: Strangers | undefined
  /** Undefined if no headers are kept. */
  headerSelector?: HeaderSelector | undefined
  /** Number of entries of the partition at its last commit; 0 if unknown. */
  entriesExpected?(partition: number): number
  /** Source offset that the group has committed; -1 if there is none. */
  committed?(partition: number): number
  /** Snapshots that are in the map already, by partition. */
  restored?: ReadonlyMap<number, RestoredSnapshot>
  /** Called when the changelog does not continue the snapshot of a partition, which is then read from its start. */
  snapshotVoid?(partition: number, refused: RefusedSnapshot): void
  /** Maximum bytes of disputed keys for one reading of the changelog. */
  keyBytesMax?: number
}

export class RecoverySink implements ChangelogSink<RecoveredPosition> {
  readonly #context: RecoveryContext
  readonly #ended: (partition: number) => void

  /** @param ended called when a partition is read up to its end */
  constructor(context: RecoveryContext, ended: (partition: number) => void) {
    this.#context = context
    this.#ended = ended
  }

  records(partition: number, reached: RecoveredPosition, batch: RecordBatchReader): number {
    const { map, stats, headerSelector, strangers } = this.#context
    const { disputed, position } = reached
    if (disputed.concerns(batch) && map !== undefined) {
      disputed.note(batch, reached.trail.trail, reached.trail.committed)
      batch.openRecords({ checkCrc: false })
    }
    const own = reached.trail.of(batch, disputed.isOther)
    const trail = strangers === undefined ? own : strangers.trailOf(partition, own)
    const records = applyRecords(map, stats, partition, batch, position, trail, headerSelector)
    reached.records += records
    return records
  }

  /** The owner's marker is the end, or one of a later epoch: of a fence in progress, or of a successor. */
  control(partition: number, reached: RecoveredPosition, batch: RecordBatchReader): boolean {
    reached.disputed.control(batch, reached.trail)
    const identity = this.#context.identityOf(partition)
    if (batch.producerId !== identity?.producerId || batch.producerEpoch < identity.producerEpoch) return false
    reached.endEpoch = batch.producerEpoch
    reached.clock = new BrokerClock(batch.maxTimestamp)
    return true
  }

  passedOver({ unheld }: RecoveredPosition, key: Buffer | undefined): void {
    if (this.#context.map !== undefined) unheld.add(key)
  }

  progressed(partition: number, reached: RecoveredPosition): void {
    const { stats } = this.#context
    const { position, end, endEpoch } = reached
    this.#context.memory?.checkRecovery()
    stats.setGauge(partition, 'recoveryPosition', position)
    const hasMarker = this.#context.identityOf(partition) !== undefined
    if (endEpoch >= 0 || (!hasMarker && position >= end)) this.#end(partition, reached)
  }

  room(): undefined {
    return undefined
  }

  async outOfRange(partition: number, position: number, reached: RecoveredPosition): Promise<number> {
    const { client, changelogTopic } = this.#context
    const starts = await listOffsets(client, changelogTopic, [partition], 'earliest')
    const start = starts.get(partition)!
    if (start <= position) {
      throw new LatchkeyError(
        'broker_error',
        `Recovering from ${changelogTopic} partition ${partition}: offset ${position} is out of range`,
      )
    }
    reached.start = start
    if (reached.restored !== undefined) reached.isVoid = true
    return start
  }

  #end(partition: number, { records, position: offset, done }: RecoveredPosition): void {
    this.#context.stats.setGauge(partition, 'recoveryEnd', offset)
    if (isDebug()) {
      const topic = this.#context.changelogTopic
      const properties = { topic, partition, records, offset }
      log.debug('{topic} partition {partition}: read {records} records up to offset {offset}', properties)
    }
    this.#ended(partition)
    done.resolve()
  }
}
