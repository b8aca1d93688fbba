/**
 * What a snapshot states of the changelog: which log it was made from, how far, and when. It is read from a file, so
 * its form is checked before anything else.
 */
import * as v from 'valibot'

/** A moment by two clocks, in milliseconds since the epoch. */
export interface Moment {
  /** Clock of this machine. */
  readonly local: number
  /** Clock of the broker that wrote the fence marker; undefined if there was none. */
  readonly broker?: number | undefined
}

/** How far a changelog goes in the source: see SourceTrail. */
export interface SourceTrailState {
  /** Record with the highest source offset; the key in base64. */
  readonly last?: { readonly offset: number; readonly key: string; readonly timestamp: number } | undefined
  readonly after: number
  readonly discardedAt: number
}

/** Who has written a changelog: see Succession. */
export interface SuccessionState {
  /** The current owner; undefined before the first batch. */
  readonly owner?: { readonly producerId: number; readonly producerEpoch: number } | undefined
  readonly hasMarker: boolean
  /** Names of former owners, the latest last. */
  readonly followed: readonly string[]
}

/** How keys are placed: by which partitioner, among how many partitions. */
export interface Placing {
  readonly partitioner: string
  readonly partitionCount: number
}

export interface SnapshotFacts {
  readonly clusterId: string
  readonly changelogTopic: string
  readonly topicId: string
  /** Next changelog offset. Everything below it is in the snapshot. */
  readonly position: number
  /** A leader epoch that the leader has confirmed when the position was reached. */
  readonly leaderEpoch: number
  readonly changelogStart: number
  /** Everything that the snapshot lacks was appended after this moment. */
  readonly takenAt: Moment
  /** `delete.retention.ms` of the changelog at that moment. */
  readonly deleteRetentionMs: number
  readonly keepHeaders: readonly string[]
  /** Number of changelog records that led to the snapshot, tombstones included. */
  readonly records: number
  readonly trail: SourceTrailState
  readonly owners: SuccessionState
  /** How all its keys are placed; undefined if it is not known, or is not so for all. */
  readonly placed?: Placing | undefined
}

const textMax = 1_024
const keyTextMax = 200 << 20
const followedMax = 4_096

const text = v.pipe(v.string(), v.minLength(1), v.maxLength(textMax))
const offset = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const offsetOrNone = v.pipe(v.number(), v.safeInteger(), v.minValue(-1))
const milliseconds = v.pipe(v.number(), v.finite(), v.minValue(0))

const schema = v.object({
  clusterId: text,
  changelogTopic: text,
  topicId: text,
  position: offset,
  leaderEpoch: offset,
  changelogStart: offset,
  takenAt: v.object({ local: milliseconds, broker: v.optional(milliseconds) }),
  deleteRetentionMs: milliseconds,
  keepHeaders: v.array(text),
  records: offset,
  trail: v.object({
    last: v.optional(
      v.object({
        offset,
        key: v.pipe(v.string(), v.maxLength(keyTextMax), v.regex(/^[A-Za-z0-9+/]*={0,2}$/)),
        timestamp: v.pipe(v.number(), v.safeInteger()),
      }),
    ),
    after: offsetOrNone,
    discardedAt: offsetOrNone,
  }),
  owners: v.object({
    owner: v.optional(
      v.object({ producerId: v.pipe(v.number(), v.safeInteger()), producerEpoch: v.pipe(v.number(), v.safeInteger()) }),
    ),
    hasMarker: v.boolean(),
    followed: v.pipe(v.array(text), v.maxLength(followedMax)),
  }),
  placed: v.optional(v.object({ partitioner: text, partitionCount: offset })),
})

/** Returns undefined if a value does not have the form of facts. */
export function factsIn(value: unknown): SnapshotFacts | undefined {
  const { success, output } = v.safeParse(schema, value)
  return success ? output : undefined
}
