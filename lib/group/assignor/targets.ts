/**
 * Who shall be primary of each partition in the end: balanced by count, and what a member has stays with it as far as
 * the balance allows. Members that leave, or that others do not reach, shall have none.
 */
import { Room } from './room.ts'
import type { Standing } from './standing.ts'

/** @returns member by partition; -1 if no member has room for it */
export function targetsOf(standing: Standing): Int32Array {
  const targets = new Int32Array(standing.partitions).fill(-1)
  const room = new Room(standing)
  const quotas = quotasOf(standing)
  const take = (partition: number, member: number) => {
    targets[partition] = member
    room.take(member, partition)
  }
  const owned = ownedOf(standing)
  for (const member of standing.eligible) {
    for (const partition of toKeep(standing, member, owned[member]!)) {
      if (room.count(member) >= quotas[member]!) break
      if (room.fits(member, partition)) take(partition, member)
    }
  }
  for (let partition = 0; partition < standing.partitions; partition++) {
    if (targets[partition]! >= 0) continue
    const fitting = standing.eligible.filter((member) => {
      return standing.knows(member, partition) && room.fits(member, partition)
    })
    const within = fitting.filter((member) => room.count(member) < quotas[member]!)
    const candidates = within.length > 0 ? within : fitting
    if (candidates.length > 0) take(partition, candidates.reduce(better(standing, room, partition)))
  }
  return targets
}

/** Returns the partitions that each member has now. */
function ownedOf({ members, current }: Standing): number[][] {
  const owned = members.map((): number[] => [])
  for (const [partition, member] of current.entries()) owned[member]?.push(partition)
  return owned
}

/** Those that have most now get the remainder, so that the fewest partitions move. */
function quotasOf({ members, eligible, partitions, current }: Standing): Int32Array {
  const owned = new Int32Array(members.length)
  for (const member of current) if (member >= 0) owned[member]!++
  const quotas = new Int32Array(members.length)
  const rest = partitions % eligible.length
  for (const [place, member] of eligible.toSorted((a, b) => owned[b]! - owned[a]! || a - b).entries()) {
    quotas[member] = Math.floor(partitions / eligible.length) + (place < rest ? 1 : 0)
  }
  return quotas
}

/**
 * Partitions that a member has now. What others hold ready is at the end: it can be given away at once. What only others
 * hold ready is not kept.
 */
function toKeep(standing: Standing, member: number, owned: readonly number[]): number[] {
  const kept: number[] = []
  const movable: number[] = []
  for (const partition of owned) {
    const isElsewhere = standing.eligible.some((other) => other !== member && standing.isReady(other, partition))
    const { isPromoting } = standing.holding(member, partition)!
    if (!isElsewhere) kept.push(partition)
    else if (isPromoting || standing.isReady(member, partition)) movable.push(partition)
  }
  return [...kept, ...movable]
}

function better(standing: Standing, room: Room, partition: number): (one: number, other: number) => number {
  return (one, other) => {
    const difference =
      Number(standing.isReady(other, partition)) - Number(standing.isReady(one, partition)) ||
      compare(standing.lag(one, partition), standing.lag(other, partition)) ||
      room.count(one) - room.count(other) ||
      standing.rank(one, partition) - standing.rank(other, partition)
    return difference <= 0 ? one : other
  }
}

function compare(one: number, other: number): number {
  return one === other ? 0 : one - other
}
