/** What a membership needs, and what it says. */
import type { JoinedMember, JoinResult } from '../kafka/group-requests.ts'

export interface MembershipOptions {
  group: string
  /** Names of the versions of our protocol, the preferred one first. */
  protocols: readonly string[]
  sessionTimeoutMs: number
  /**
   * How long the coordinator waits for members that do not join again. Not less than the session timeout: a member that
   * was removed for not joining may have had an answer to a heartbeat just before, and counts on that for a session.
   */
  rebalanceTimeoutMs: number
  heartbeatMs: number
}

/** The assignment of one generation, as this member got it. */
export interface GroupAssignment {
  generation: number
  memberId: string
  leaderId: string
  isLeader: boolean
  protocol: string
  /** Empty if the leader had nothing for this member. */
  bytes: Buffer
}

/** What a membership asks and reports. All are called between two requests, so they must not block. */
export interface MembershipEvents {
  /** Returns what this member reports to the leader, in the version of a protocol. */
  report: (protocol: string) => Buffer
  /**
   * Returns the assignment of each member. Called in the leader only. If it throws, the last plan stays in force; if it
   * does again, another member leads.
   * @param waitedMs how long the coordinator has waited for other members before
   */
  assign: (members: readonly JoinedMember[], joined: JoinResult, waitedMs: number) => ReadonlyMap<string, Buffer>
  assigned: (assignment: GroupAssignment) => void
  /** The coordinator has removed this member: others may take what it holds. */
  removed: () => void
  /**
   * This member has left so that another one leads, and joins again. Others may take what it holds, and have not yet:
   * it stays primary until the next plan, or until it is fenced.
   */
  resigned: () => void
  /** A heartbeat or sync of a generation was answered. @param sentAtMs when it was sent */
  answered: (sentAtMs: number, generation: number) => void
}

/** Continues while the machine sleeps or the process is stopped. */
export interface MembershipClock {
  nowMs: () => number
  /** Resolves after `ms`, or when the signal is aborted. */
  sleep: (ms: number, signal: AbortSignal) => Promise<void>
}

export type MembershipState = 'joining' | 'stable' | 'left'
