/** What an instance knows of its group, for its status. Plain data. */

import type { GroupFigures } from './group-figures.ts'

/**
 * - `joining`: waits for the group's next plan. It continues with the last one.
 * - `stable`: works by the present plan.
 * - `leaving`: hands over what it holds, before the process stops.
 * - `left`: the instance has ended its membership.
 */
export const groupStates = ['joining', 'stable', 'leaving', 'left'] as const
export type GroupState = (typeof groupStates)[number]

export interface GroupMemberStatus {
  memberId: string
  /** Identity of one life of the instance. */
  id: string
  url: string
  isSelf: boolean
  /** Whether this instance reaches it; null if that is not known yet. */
  isReachable: boolean | null
  /** Why not. */
  reason?: string
  /** Partitions, by the plan. */
  primaries: number[]
  standbys: number[]
  /** Partitions that it is going to be primary of, once it has read them. */
  filling: number[]
  isLeaving: boolean
}

export interface GroupStatus {
  /** Name of the group, as the coordinator has it. */
  name: string
  state: GroupState
  /** -1 before the first plan. */
  generation: number
  memberId: string
  /** Whether this instance makes the plans. */
  isLeader: boolean
  /** Time in milliseconds for which no other instance can have taken what this one has. */
  leaseMs: number
  /** Version of the protocol between members; empty before the first plan. */
  protocol: string
  /** Where others reach this instance; empty before it is known. */
  url: string
  members: GroupMemberStatus[]
  /** Partitions that no member holds, since none can. */
  unassigned: number[]
  /** Members that get nothing. */
  excluded: { memberId: string; url: string; reason: string }[]
  /** Names of settings that may differ between members, and do. Only the leader knows them. */
  differing: string[]
  /** What the next plan waits for: members that read a partition in order to be its primary. */
  waitsFor: { partition: number; memberId: string }[]
  /** Counted since the start. */
  figures?: GroupFigures
  /** Why this instance does not get a plan at the moment, such as an unreachable coordinator. */
  trouble?: string
}
