/**
 * Assigns the partitions of a group: from what its members hold to who shall be primary and who has a copy. A pure
 * function: the order of members does not matter, and the same input gives the same plan. It plans one step: members
 * carry it out, report, and the next plan goes further, until nothing changes.
 */
import type { ExcludedMember, GroupMember, GroupPlan, PlannedMember, Route } from '../group-protocol/member.ts'
import { copiesOf } from './assignor/copies.ts'
import { primariesOf } from './assignor/primaries.ts'
import { Room } from './assignor/room.ts'
import { Standing } from './assignor/standing.ts'
import { targetsOf } from './assignor/targets.ts'

export interface AssignorOptions {
  /** Copies beside the primary. */
  standbys: number
  /** No member has joined for a while, so a partition without any copy is assigned now. */
  isSettled: boolean
}

/**
 * Plans for members that are all fit.
 * @param excluded members that get nothing, for all to know
 */
export function assignPartitions(
  members: readonly GroupMember[],
  { standbys, isSettled }: AssignorOptions,
  excluded: readonly ExcludedMember[] = [],
): GroupPlan {
  const standing = new Standing(members)
  const planned = standing.members.map(({ memberId, id, url, isLeaving }): PlannedMember => {
    return { memberId, id, url, ...(isLeaving && { isLeaving }) }
  })
  if (members.length === 0) return { members: planned, routes: [], excluded }
  const targets = targetsOf(standing)
  const room = new Room(standing)
  const primaries = primariesOf(standing, targets, room, isSettled)
  const { copies, warmUps, retained } = copiesOf(standing, primaries, targets, room, standbys)
  const routes = Array.from(primaries, (primary, partition): Route => {
    const holders = primary < 0 ? [] : [primary, ...copies[partition]!]
    const holdings = holders.map((member) => standing.holding(member, partition))
    return {
      primary,
      copies: copies[partition]!,
      target: warmUps[partition]!,
      // Carried on from copy to copy: each holder reports it as it read it in the plan before.
      isComplete: holdings.some((one) => one?.isReady === true && one.isComplete),
      hasStrangers: holders.some((member) => hasStrangers(standing, member, partition)),
      isRetaining: retained[partition]!,
      isStalled: holdings[0]?.isStalled === true,
    }
  })
  return { members: planned, routes, excluded }
}

/** A member that does not know yet that the topic has grown does not know either which of its keys belong elsewhere now. */
function hasStrangers(standing: Standing, member: number, partition: number): boolean {
  const holding = standing.holding(member, partition)
  return holding !== undefined && (holding.hasStrangers || !standing.knows(member, standing.partitions - 1))
}
