/** What was seen of a run: plain data, so that a forged one can be held against the checker. Times are of performance.now() unless said otherwise. */

/** A record as a topic holds it. */
export interface TopicRecord {
  partition: number
  offset: number
  key: string
  /** null: a tombstone */
  value: string | null
  /** Source offset by its header; -1 where it has none. */
  src: number
  /** Of a tombstone that no source record asked for: the source offset after which it counts. */
  aft?: number
}

/** A control batch of the changelog: where an instance took the partition. */
export interface Marker {
  partition: number
  offset: number
  /** Of the broker's clock, milliseconds since the epoch. */
  timestamp: number
}

/** A batch, markers included, and who wrote it. */
export interface Writing {
  partition: number
  offset: number
  producerId: number
  epoch: number
}

export interface TopicContent {
  records: TopicRecord[]
  markers: Marker[]
  writings?: Writing[]
}

/** One answer to a lookup. A 404 has no value. */
export interface Read {
  key: string
  value: string | null
  /** Source offset by its header; -1 at a 404. */
  src: number
  partition: number
  /** Which instance answered, counted from 0. */
  instance: number
  answeredAt: number
  /** The number of the answer, if it had several keys. */
  answer?: number
}

/** A changelog partition was acknowledged up to endOffset (exclusive). */
export interface Acknowledgement {
  partition: number
  endOffset: number
  at: number
}

export interface Commit {
  partition: number
  /** Next source offset to consume. */
  offset: number
  /** Of the request, on its way to the broker. */
  at: number
  /** The broker has refused it, as that of a member which it has removed. */
  isRefused?: boolean
}

export interface Instance {
  /** Milliseconds since the epoch, as markers have it. */
  startedAtEpochMs: number
  startedAt: number
}

/** An unclean election took acknowledged records from a partition. */
export interface Loss {
  topic: 'source' | 'changelog'
  partition: number
  /** When its leader was about to be killed. */
  at: number
  /** What the source held there and holds no more; a changelog's are the checker's to miss. */
  lost: readonly TopicRecord[]
}

export interface History {
  source: readonly TopicRecord[]
  /** Not compacted, so that everything ever written is there. */
  changelog: TopicContent
  /** Of one key in the order of asking: the next was sent after the answer of the one before. */
  reads: readonly Read[]
  acknowledgements: readonly Acknowledgement[]
  commits: readonly Commit[]
  instances: readonly Instance[]
  /** What GET answered for every key ever written when all was quiet; null for a 404. */
  answers: ReadonlyMap<string, string | null>
  /** Partitions with one are held to what an unclean election leaves of the invariants. */
  losses?: readonly Loss[]
}
