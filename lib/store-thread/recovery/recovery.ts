/**
 * Reads the changelog into the map, from its start or from the position of a snapshot that the map has. The store's own fence marker is the end, independent of other
 * producers and of compaction. Collects the input of the resume decision.
 */
import { LatchkeyError } from '../../errors.ts'
import { listOffsets } from '../../kafka/offsets.ts'
import type { ProducerIdentity } from '../../kafka/transactional-id.ts'
import { isDebug, loggerOf } from '../../log/index.ts'
import type { SuccessionState } from '../../store-protocol/snapshot-facts.ts'
import { plainFetch } from '../../topics/clients.ts'
import type { BrokerClock } from '../broker-clock.ts'
import { ChangelogReader } from '../changelog-reader.ts'
import { DisputedKeys } from './disputed-keys.ts'
import { watchMarkers } from './own-marker.ts'
import { OwnTrail } from './own-trail.ts'
import { type RecoveredPosition, type RecoveryContext, RecoverySink } from './recovery-sink.ts'
import type { RestoredSnapshot } from './restored-snapshot.ts'
import { settleDisputed } from './settle.ts'
import type { RefusedSnapshot } from './snapshot-check.ts'
import { type SourcePosition, SourceTrail } from './source-trail.ts'
import { Succession } from './succession.ts'
import { UnheldKeys } from './unheld-records.ts'

const log = loggerOf('store')

export interface Recovered {
  readonly records: number
  /** Log start offset of the changelog. */
  readonly changelogStart: number
  /** Offset up to which it was read. */
  readonly changelogEnd: number
  /** Whether no other producer can have written after that. Then our next write gets the offset changelogEnd. */
  readonly isEndSure: boolean
  /** Record with the highest source offset; undefined if no record has one. */
  readonly last: SourcePosition | undefined
  /** Highest source offset in `aft` headers, of records that are not from the source; -1 if there is none. */
  readonly after: number
  /** Changelog offset of the last discard tombstone; -1 if there is none. */
  readonly discardedAt: number
  /** Who has written it. */
  readonly owners: SuccessionState
  /** Undefined without fencing. */
  readonly clock: BrokerClock | undefined
  /** What the recovery began with; undefined if it read the whole changelog. */
  readonly restored: RestoredSnapshot | undefined
  /** Keys whose last record in the changelog is not their newest. The map is right, and they are written again from it. */
  readonly outdated: Buffer[]
}

/** @param window maximum number of offsets before the end at which to begin; by default the whole log is read */
export async function recover(
  context: RecoveryContext,
  partitions: readonly number[],
  window = Number.POSITIVE_INFINITY,
): Promise<Map<number, Recovered>> {
  const readFrom = performance.now()
  const { client, changelogTopic, stats } = context
  const [starts, ends] = await Promise.all([
    client.retryForever(() => listOffsets(client, changelogTopic, partitions, 'earliest')),
    client.retryForever(() => listOffsets(client, changelogTopic, partitions, 'latest')),
  ])
  const progress = new Map<number, RecoveredPosition>()
  for (const partition of partitions) {
    const start = starts.get(partition)!
    const end = ends.get(partition)!
    const done = Promise.withResolvers<void>()
    const restored = context.restored?.get(partition)
    const position = restored?.facts.position ?? Math.max(start, end - window)
    const begun = {
      records: restored?.facts.records ?? 0,
      trail: new OwnTrail(context.committed?.(partition), new SourceTrail(restored?.facts.trail)),
      disputed: new DisputedKeys(0, context.keyBytesMax, new Succession(restored?.facts.owners)),
      unheld: new UnheldKeys(),
      endEpoch: -1,
      clock: undefined,
      restored,
      isVoid: false,
    }
    progress.set(partition, { start, end, position, ...begun, done })
    stats.setGauge(partition, 'recoveryStart', position)
    stats.setGauge(partition, 'recoveryPosition', position)
    stats.setGauge(partition, 'recoveryEnd', Math.max(end, start))
    // There cannot be more entries than offsets, so wrong commit metadata cannot reserve more.
    const expected = Math.min(context.entriesExpected?.(partition) ?? 0, Math.max(end - position, 0))
    if (expected > 0 && restored === undefined) context.map?.reserve(partition, expected)
  }
  const reader = new ChangelogReader(client, changelogTopic, context.fetch ?? plainFetch, stats, progress)
  for (const [partition, reached] of progress) {
    if (context.identityOf(partition) === undefined && reached.position >= reached.end) reached.done.resolve()
    else reader.add(partition)
  }
  const running = reader.run(new RecoverySink(context, (partition) => reader.remove(partition)))
  const watch = new AbortController()
  const watching = watchMarkers(context, progress, watch.signal)
  const overdue = new Promise<never>((_, reject) => watching.catch(reject))
  const all = Promise.all([...progress.values()].map((reached) => reached.done.promise))
  try {
    await Promise.race([all, running.then(() => stopped(changelogTopic)), overdue])
  } finally {
    watch.abort()
    reader.stop()
  }
  // A fence in progress changes the identity. The writer needs the last one.
  await watching
  logPhase('Read', changelogTopic, progress.size, readFrom)
  const settlingFrom = performance.now()
  const recovered = await readVoid(context, progress)
  for (const [partition, reached] of progress) {
    if (recovered.has(partition)) continue
    const outdated = await settleDisputed(context, partition, reached)
    recovered.set(partition, recoveredOf(reached, context.identityOf(partition), outdated))
  }
  logPhase('Settled disputed keys of', changelogTopic, progress.size, settlingFrom)
  return recovered
}

/**
 * Reads partitions from their start whose changelog does not continue the snapshot: records were deleted meanwhile, or
 * late batches follow it. Which record of a disputed key is the newest depends on everything before.
 */
async function readVoid(
  context: RecoveryContext,
  progress: ReadonlyMap<number, RecoveredPosition>,
): Promise<Map<number, Recovered>> {
  const { changelogTopic, map } = context
  const partitions: number[] = []
  for (const [partition, { restored, isVoid, disputed }] of progress) {
    if (restored === undefined || (!isVoid && disputed.keys.size === 0)) continue
    map?.clear(partition)
    partitions.push(partition)
    context.snapshotVoid?.(partition, isVoid ? deletedMeanwhile : lateRecords)
  }
  if (partitions.length === 0) return new Map()
  log.debug('{changelogTopic}: reading {partitions} from the start', { changelogTopic, partitions })
  const { restored: _, ...without } = context
  return recover(without, partitions)
}

const deletedMeanwhile: RefusedSnapshot = {
  reason: 'records-deleted',
  found: 'records after it were deleted while it was read',
}
const lateRecords: RefusedSnapshot = {
  reason: 'late-records',
  found: 'records of an earlier owner, or of another program, follow it, and which is newer depends on all before',
}

function logPhase(phase: string, topic: string, partitions: number, since: number): void {
  if (!isDebug()) return
  const properties = { phase, topic, partitions, ms: Math.round(performance.now() - since) }
  log.debug('{phase} {topic}: {partitions} partitions in {ms} ms', properties)
}

function recoveredOf(
  progress: RecoveredPosition,
  identity: ProducerIdentity | undefined,
  outdated: readonly Buffer[],
): Recovered {
  const { records, start, position, trail, endEpoch, clock, restored, disputed, unheld } = progress
  const { last, after, discardedAt } = trail.trail
  return {
    records,
    changelogStart: start,
    changelogEnd: position,
    isEndSure: identity?.producerEpoch === endEpoch,
    last,
    after,
    discardedAt,
    owners: disputed.owners,
    clock,
    restored,
    outdated: unheld.joined(outdated),
  }
}

function stopped(topic: string): never {
  throw new LatchkeyError('stopping', `Recovering from ${topic}: the store was stopped`)
}
