/** Defects that a test plants, to see that the simulation finds them. */

export interface CopyFaults {
  /** Takes a partition without a new epoch. */
  fencesNothing?: boolean
  /** Writes before it has read its own marker. */
  writesEarly?: boolean
  /** Continues from the committed offset of the source, in place of what the changelog says. */
  resumesFromCommit?: boolean
  /** Continues after what it has written itself, when it is promoted again. */
  losesTrail?: boolean
  /** Claims that nothing is missing although the source was not read to its end. */
  claimsComplete?: boolean
}

export interface InstanceFaults extends CopyFaults {
  /** Claims without a lease. */
  ignoresLease?: boolean
  /** Claims at once what it takes from a member that was removed by another one. */
  holdsNothing?: boolean
  /** Names a rebalance timeout to the coordinator that is below the session timeout. */
  isHasty?: boolean
  /** Answers that a key does not exist from a copy that is not known to be complete. */
  answersIncomplete?: boolean
  /** Sends on what another instance has sent to it. */
  sendsOn?: boolean
  /** Looks for a key only where the partitioner puts it. */
  scattersNothing?: boolean
  /** As the leader: gives partitions to members that have not read them. */
  movesUnready?: boolean
  /** As the leader: plans as if no promotion were under way. */
  interrupts?: boolean
  /** As the leader: takes unsigned data for signed. */
  trustsUnsigned?: boolean
  /** As the leader: plans as if all members had room for all. */
  ignoresRoom?: boolean
}
