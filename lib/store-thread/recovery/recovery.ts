/**
 * Reads the changelog from its start into the map. The store's own fence marker is the end, independent of other
 * producers and of compaction. Collects the input of the resume decision.
 */
import { LatchkeyError } from '../../errors.ts'
import { CommittedBatches } from '../../kafka/committed-batches.ts'
import { type ProducerIdentity } from '../../kafka/transactional-id.ts'
import { type FetchedPartition } from '../../kafka/protocol/fetch.ts'
import { isDamage } from '../../kafka/damaged-batches.ts'
import { Fetcher, type FetchSink } from '../../kafka/fetcher.ts'
import { listOffsets } from '../../kafka/offsets.ts'
import { type ChiralMap } from '../../map/index.ts'
import { applyRecords } from '../apply.ts'
import { type FetchConfig } from '../../store-protocol/client-config.ts'
import { plainFetch } from '../../topics/clients.ts'
import { type KeptHeaders } from '../../store-protocol/kept-headers.ts'
import { corruptChangelog } from './corrupt-changelog.ts'
import { DisputedKeys } from './disputed-keys.ts'
import { type MarkerContext, watchMarkers } from './own-marker.ts'
import { settleDisputed } from './settle.ts'
import { type SourceRecord, SourceTrail } from './source-trail.ts'
import { type Stats } from '../../store-protocol/stats.ts'

export interface Recovered {
  records: number
  /** Log start offset of the changelog. */
  changelogStart: number
  /** Offset up to which it was read. */
  changelogEnd: number
  /** Whether no other producer can have written after that. Then our next write gets the offset changelogEnd. */
  isEndSure: boolean
  /** Record with the highest source offset; undefined if no record has one. */
  last: SourceRecord | undefined
  /** Highest source offset in `aft` headers, of records that are not from the source; -1 if there is none. */
  after: number
  /** Changelog offset of the last discard tombstone; -1 if there is none. */
  discardedAt: number
  /** Keys whose last record in the changelog is not their newest. The newest is in the map, to be written again. */
  outdated: Buffer[]
}

interface Progress {
  start: number
  end: number
  position: number
  records: number
  trail: SourceTrail
  disputed: DisputedKeys
  outdated: Buffer[]
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
  kept?: KeptHeaders | undefined
  /** Number of entries of the partition at its last commit; 0 if unknown. */
  entriesExpected?(partition: number): number
  /** Maximum bytes of disputed keys for one reading of the changelog. */
  keyBytesMax?: number
}

/** @param window maximum number of offsets before the end at which to begin; by default the whole log is read */
export async function recover(
  context: RecoveryContext,
  partitions: readonly number[],
  window = Number.POSITIVE_INFINITY,
): Promise<Map<number, Recovered>> {
  const { client, changelogTopic, stats } = context
  const [starts, ends] = await Promise.all([
    client.persist(() => listOffsets(client, changelogTopic, partitions, 'earliest')),
    client.persist(() => listOffsets(client, changelogTopic, partitions, 'latest')),
  ])
  const progress = new Map<number, Progress>()
  for (const partition of partitions) {
    const start = starts.get(partition)!
    const end = ends.get(partition)!
    const done = Promise.withResolvers<void>()
    const position = Math.max(start, end - window)
    const empty = {
      records: 0,
      trail: new SourceTrail(),
      disputed: new DisputedKeys(0, context.keyBytesMax),
      outdated: [],
      endEpoch: -1,
    }
    progress.set(partition, { start, end, position, ...empty, done })
    stats.setGauge(partition, 'recoveryStart', position)
    stats.setGauge(partition, 'recoveryPosition', position)
    stats.setGauge(partition, 'recoveryEnd', Math.max(end, start))
    // There cannot be more entries than offsets, so wrong commit metadata cannot reserve more.
    const expected = Math.min(context.entriesExpected?.(partition) ?? 0, Math.max(end - position, 0))
    if (expected > 0) context.map?.reserve(partition, expected)
  }
  const sink = new RecoverySink(context, progress)
  const fetcher = new Fetcher(client, changelogTopic, context.fetch ?? plainFetch, sink)
  sink.ended = (partition) => fetcher.remove(partition)
  for (const [partition, one] of progress) {
    if (context.identityOf(partition) === undefined && one.position >= one.end) one.done.resolve()
    else fetcher.add(partition, one.position)
  }
  const running = fetcher.run()
  const watch = new AbortController()
  const watching = watchMarkers(context, progress, watch.signal)
  const overdue = new Promise<never>((_, reject) => watching.catch(reject))
  const all = Promise.all([...progress.values()].map((one) => one.done.promise))
  try {
    await Promise.race([all, running.then(() => stopped(changelogTopic)), overdue])
  } finally {
    watch.abort()
    fetcher.stop()
  }
  // A fence in progress changes the identity. The writer needs the last one.
  await watching
  for (const [partition, one] of progress) await settleDisputed(context, partition, one)
  return new Map([...progress].map(([partition, one]) => [partition, recoveredOf(one, context.identityOf(partition))]))
}

function recoveredOf(progress: Progress, identity: ProducerIdentity | undefined): Recovered {
  const { records, start, position, trail, endEpoch, outdated } = progress
  const { last, after, discardedAt } = trail
  return {
    records,
    changelogStart: start,
    changelogEnd: position,
    isEndSure: identity?.producerEpoch === endEpoch,
    last,
    after,
    discardedAt,
    outdated,
  }
}

function stopped(topic: string): never {
  throw new LatchkeyError('stopping', `Recovering from ${topic}: the store was stopped`)
}

class RecoverySink implements FetchSink {
  readonly keepsNothing = true
  ended: (partition: number) => void = () => {}
  readonly #context: RecoveryContext
  readonly #progress: Map<number, Progress>
  readonly #batches = new CommittedBatches()

  constructor(context: RecoveryContext, progress: Map<number, Progress>) {
    this.#context = context
    this.#progress = progress
  }

  received(fetched: FetchedPartition, position: number): number | undefined {
    const { partition } = fetched
    const { stats } = this.#context
    const progress = this.#progress.get(partition)!
    try {
      if (this.#takeBatches(fetched, position, progress)) {
        this.#end(partition, progress)
        return undefined
      }
    } catch (error) {
      throw isDamage(error) ? error : corruptChangelog(this.#context.changelogTopic, partition, error)
    }
    stats.setGauge(partition, 'recoveryPosition', progress.position)
    const identity = this.#context.identityOf(partition)
    if (identity === undefined && progress.position >= progress.end) this.#end(partition, progress)
    return this.#batches.isEnough ? progress.position : undefined
  }

  passOver(partition: number, _next: number, fault: LatchkeyError): never {
    throw corruptChangelog(this.#context.changelogTopic, partition, fault)
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
    if (start <= position)
      throw new LatchkeyError(
        'broker_error',
        `Recovering from ${changelogTopic} partition ${partition}: offset ${position} is out of range`,
      )
    progress.start = start
    return start
  }

  /** Returns whether the owner's marker was among the batches. */
  #takeBatches(fetched: FetchedPartition, position: number, progress: Progress): boolean {
    const { partition } = fetched
    const batches = this.#batches
    batches.open(fetched, Math.max(position, progress.position))
    for (let kind = batches.next(); kind !== undefined; kind = batches.next()) {
      const { batch } = batches
      if (kind === 'records') this.#takeRecords(partition, Math.max(position, progress.position), progress)
      else if (kind === 'control') progress.disputed.control(batch)
      progress.position = batch.nextOffset
      if (kind === 'control' && this.#isOwnMarker(partition)) {
        progress.endEpoch = batch.producerEpoch
        return true
      }
    }
    return false
  }

  #takeRecords(partition: number, position: number, progress: Progress): void {
    const { map, stats, kept } = this.#context
    const { batch } = this.#batches
    const checkCrc = this.#context.fetch?.checkCrcs ?? true
    if (map !== undefined && progress.disputed.concerns(batch)) {
      batch.openRecords({ checkCrc })
      progress.disputed.note(batch, progress.trail)
    }
    batch.openRecords({ checkCrc })
    const records = applyRecords(map, stats, partition, batch, position, progress.trail, kept)
    progress.records += records
    stats.add('recordsRecovered', records)
    stats.add('bytesRecovered', batch.batchBytes)
  }

  /** Includes markers of later epochs: of a fence whose response is still in flight, or of a successor. */
  #isOwnMarker(partition: number): boolean {
    const identity = this.#context.identityOf(partition)
    const { batch } = this.#batches
    return batch.producerId === identity?.producerId && batch.producerEpoch >= identity.producerEpoch
  }

  #end(partition: number, progress: Progress): void {
    this.#context.stats.setGauge(partition, 'recoveryPosition', progress.position)
    this.#context.stats.setGauge(partition, 'recoveryEnd', progress.position)
    this.ended(partition)
    progress.done.resolve()
  }
}
