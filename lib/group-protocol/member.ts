/** What the members of a group report to their leader, and what the leader plans for all of them. Plain data. */

/** A copy of a changelog partition in the memory of an instance. */
export interface Holding {
  partition: number
  /** Next offset of the changelog to read or write. */
  position: number
  bytes: number
  /**
   * Offset of the last control batch that this instance has seen in the partition; -1 if none. A claim of a lower term
   * than another instance has seen is that of a former primary.
   */
  term: number
  /** Close to the end of the changelog, with hysteresis, so that load does not move partitions. */
  isReady: boolean
  /** Is primary, or fills in order to be. */
  isPrimary: boolean
  isPromoting: boolean
  /** May answer that a key does not exist, as soon as it is ready. */
  isComplete: boolean
  /** Holds keys that the partitioner puts elsewhere. */
  hasStrangers: boolean
  /** At least half of the changelog is read. Only the holder knows where the changelog begins. */
  isHalfRead: boolean
  /** A primary that reads its source no further until something is done: it has halted, or memory is full. */
  isStalled: boolean
}

/** A partition that an instance should hold, and has no room for. */
export interface Unfit {
  partition: number
  /** That the whole partition takes, as far as is known. */
  bytes: number
}

/** What an instance says of itself. */
export interface MemberReport {
  /** Identity of one life of the instance: new at each start, the same when it joins again. At most 32 characters. */
  id: string
  /** Where the others reach it. */
  url: string
  /** Empty if it has none. */
  rack: string
  /** Of the source, as far as the instance knows. */
  partitionCount: number
  /** When it started, in milliseconds since 1970. Decides at a tie only. */
  startedAtMs: number
  /** Hash of each setting that matters to others, by name. */
  settings: Readonly<Record<string, string>>
  isLeaving: boolean
  /** Others do not reach it at its URL. */
  isUnreachable: boolean
  /** Bytes of memory for copies. Infinity if it has no bound. */
  roomBytes: number
  held: readonly Holding[]
  /** Absent if there is none. */
  unfit?: readonly Unfit[]
}

export interface GroupMember extends MemberReport {
  /** Assigned by the coordinator: new when the instance was removed and joins again. */
  memberId: string
}

export interface PlannedMember {
  memberId: string
  id: string
  url: string
  /** It hands over what it holds. */
  isLeaving?: true
}

/** Who holds one partition. Members are indexes of `GroupPlan.members`. */
export interface Route {
  /** -1 if no member can hold it now. */
  primary: number
  /** Other copies, ready ones first: standbys, the next primary, and holders that are kept until others are ready. */
  copies: readonly number[]
  /** The next primary, once it is ready; -1 if there is none. The plan waits for it. */
  target: number
  /** A ready copy may answer that a key does not exist. */
  isComplete: boolean
  /** Some keys are where the partitioner does not put them. */
  hasStrangers: boolean
  /** More copies than wanted are kept until others are ready. The plan waits for those. */
  isRetaining: boolean
  /** The primary reads its source no further until something is done: others do not wait for it to be complete. */
  isStalled: boolean
}

export interface ExcludedMember {
  memberId: string
  url: string
  reason: string
}

export interface GroupPlan {
  members: readonly PlannedMember[]
  /** By partition. */
  routes: readonly Route[]
  /** Members that get nothing. */
  excluded: readonly ExcludedMember[]
  /** The group is so large that routes have the copies of the reading member only, and no others'. */
  isOwnOnly?: true
  /** This member could not read what the leader has assigned, which may be a stranger: it says nothing about copies. */
  isUnread?: true
}
