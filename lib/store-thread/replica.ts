/** A replica of a partition: what is known of its changelog, and how it begins and ends. */
import { EpochTrail } from '../kafka/epoch-trail.ts'
import type { ProducerIdentity } from '../kafka/transactional-id.ts'
import type { SnapshotFacts } from '../store-protocol/snapshot-facts.ts'
import type { Stats } from '../store-protocol/stats.ts'
import type { PartitionState } from '../store-protocol/status.ts'
import type { ChangelogPosition } from './changelog-reader.ts'
import { ReplicaTrail } from './changes/replica-trail.ts'
import type { WrittenEnd } from './ingest/partition-table.ts'
import type { MarkerWait } from './marker-wait.ts'
import type { Recovered } from './recovery/recovery.ts'
import { Succession } from './recovery/succession.ts'
import type { PartitionPoint } from './snapshots/partition-point.ts'

export interface Replica extends ChangelogPosition {
  /** Log start offset when the reading began. */
  start: number
  /** Leader epochs of the records that were read. */
  readonly epochs: EpochTrail
  trail: ReplicaTrail
  /** Owners that wrote those records. */
  succession: Succession
  /** End of the changelog when the replica started. The replica counts as filled when it reaches this offset. */
  target: number
  filled: boolean
  /** Readable, or about to be with the next publish. */
  opened: boolean
  /** Records of others than the owner were read. Which is newer, only a reading from the start can settle. */
  isDisputed: boolean
  /** Changelog offset of the last abort marker that was read; -1 if none was. */
  term: number
  /** Set while the replica becomes a primary. */
  ending: MarkerWait | undefined
}

/** What is in the map of a partition when its replica begins. */
type Beginning = Pick<SnapshotFacts, 'position' | 'trail' | 'records' | 'owners'> & {
  /** A leader epoch of the changelog after it had reached an end; undefined if it is not known. */
  readonly leaderEpoch: number | undefined
}

/** What is in the map of a partition that was a primary until now. */
export interface Copy extends Beginning {
  readonly changelogStart: number
  /** Changelog offset of the last marker that is known; -1 if none is. */
  readonly term?: number
}

/** Returns a replica that begins at the start of the changelog, or after a snapshot. */
export function replicaFrom(beginning: Beginning | undefined, start: number, target: number): Replica {
  const epochs = new EpochTrail()
  // The epoch may have begun anywhere before.
  if (beginning?.leaderEpoch !== undefined) epochs.note(beginning.leaderEpoch, start)
  return {
    start,
    position: beginning?.position ?? start,
    epochs,
    trail: new ReplicaTrail(beginning?.trail, beginning?.records),
    succession: new Succession(beginning?.owners),
    target,
    filled: false,
    opened: false,
    isDisputed: false,
    term: -1,
    ending: undefined,
  }
}

/** Returns a replica that continues where a primary has ended. */
export function replicaOf(copy: Copy): Replica {
  const { changelogStart, position, term = -1 } = copy
  return { ...replicaFrom(copy, changelogStart, position), filled: true, opened: true, term }
}

/** Shows where a replica begins, and where it counts as filled. */
export function noteBeginning(stats: Stats, partition: number, { position, target }: Replica): void {
  stats.setGauge(partition, 'recoveryStart', position)
  stats.setGauge(partition, 'recoveryPosition', position)
  stats.setGauge(partition, 'recoveryEnd', Math.max(target, position))
}

/**
 * Returns the copy that a primary leaves in the map.
 * @param recovered what it began with; its source and changelog have not changed since
 */
export function copyOf(
  { changelogStart, changelogEnd, last, discardedAt, records, owners }: Recovered,
  written: WrittenEnd,
  identity: ProducerIdentity | undefined,
  leaderEpoch: number | undefined,
): Copy {
  const succession = new Succession(owners)
  if (identity !== undefined) succession.marked(identity)
  return {
    changelogStart,
    position: written.changelogEnd,
    leaderEpoch,
    trail: {
      last: last && { ...last, key: last.key.toString('base64') },
      // The changelog has everything before, or it was skipped.
      after: written.acknowledged - 1,
      discardedAt,
    },
    // Markers count, too, but a changelog that has only markers ends where it was taken.
    records: records + Math.max(0, written.changelogEnd - changelogEnd),
    owners: succession.state,
  }
}

/** Returns what a snapshot of a replica needs to know; undefined while there can be none. */
export function pointOf(replica: Replica | undefined, state: PartitionState): PartitionPoint | undefined {
  if (replica?.filled !== true || state !== 'running') return undefined
  const { position, start, succession } = replica
  return { position, known: position, changelogStart: start, owners: succession.state, clock: undefined }
}

/** Returns what a recovery would have found, of a replica that has read the own marker. */
export function recoveredOf(
  { start, position, trail, succession, ending }: Replica,
  identity: ProducerIdentity | undefined,
): Recovered {
  const { last, after, discardedAt } = trail.source
  const end = ending!.end!
  return {
    records: trail.records,
    changelogStart: start,
    changelogEnd: position,
    isEndSure: position === end.next && end.producerEpoch === identity?.producerEpoch,
    last,
    after,
    discardedAt,
    owners: succession.state,
    clock: end.clock,
    restored: undefined,
    outdated: [],
  }
}
