/**
 * Who is primary of each partition now. A partition moves only to a member that has it in memory, unless no member has;
 * and never away from one that is promoting it.
 */
import type { Room } from './room.ts'
import type { Standing } from './standing.ts'

/**
 * Chooses the primaries, and takes the room for them. A primary keeps its room until it is clear that it moves: its
 * memory is not free before.
 * @param isSettled no member has joined for a while: partitions without any copy are assigned now
 * @returns member by partition; -1 if it must wait, or fits nowhere
 */
export function primariesOf(standing: Standing, targets: Int32Array, room: Room, isSettled: boolean): Int32Array {
  for (const [partition, current] of standing.current.entries()) if (current >= 0) room.take(current, partition)
  const primaries = new Int32Array(standing.partitions).fill(-1)
  const choose = (chosen: (partition: number, target: number) => number) => {
    for (let partition = 0; partition < standing.partitions; partition++) {
      if (primaries[partition]! >= 0) continue
      const member = chosen(partition, targets[partition]!)
      if (member < 0) continue
      primaries[partition] = member
      const current = standing.current[partition]!
      if (member === current) continue
      if (current >= 0) room.release(current, partition)
      room.take(member, partition)
    }
  }
  choose((partition, target) => stayingOf(standing, target, partition))
  choose((partition, target) => heldOf(standing, target, room, partition))
  choose((partition, target) => coldOf(target, room, partition, isSettled))
  return primaries
}

/** The member that has the partition and keeps it for now; -1 if another one may take it. */
function stayingOf(standing: Standing, target: number, partition: number): number {
  const current = standing.current[partition]!
  if (current < 0 || standing.holding(current, partition)!.isPromoting) return current
  if (!standing.isEligible(current) || !standing.isReady(current, partition)) return -1
  return current !== target && isReady(standing, target, partition) ? -1 : current
}

/** Of those with a copy: the target, another ready one, a primary that leaves or still fills, the largest copy. */
function heldOf(standing: Standing, target: number, room: Room, partition: number): number {
  const current = standing.current[partition]!
  const fits = (member: number) => member === current || room.fits(member, partition)
  const isWhole = (member: number) => standing.isReady(member, partition) && fits(member)
  if (isReady(standing, target, partition) && fits(target)) return target
  const ready = best(standing, partition, (member) => standing.isEligible(member) && isWhole(member))
  if (ready >= 0) return ready
  // One that fills and has read little gives way to the target, which begins at once where it shall stay.
  if (current >= 0 && (!hasReadLittle(standing, partition) || current === target)) return current
  const elsewhere = best(standing, partition, isWhole)
  if (elsewhere >= 0) return elsewhere
  if (current >= 0) return target >= 0 && fits(target) ? target : current
  return best(standing, partition, (member) => standing.holding(member, partition) !== undefined && fits(member))
}

/** No member has the partition. */
function coldOf(target: number, room: Room, partition: number, isSettled: boolean): number {
  return isSettled && target >= 0 && room.fits(target, partition) ? target : -1
}

function isReady(standing: Standing, member: number, partition: number): boolean {
  return member >= 0 && standing.isReady(member, partition)
}

/** Whether the primary was never ready, and has not read half of the changelog. */
function hasReadLittle(standing: Standing, partition: number): boolean {
  const holding = standing.holding(standing.current[partition]!, partition)!
  return !holding.isReady && !holding.isHalfRead
}

/** The member with the least lag of those that may be it; those that stay come first. */
function best(standing: Standing, partition: number, mayBe: (member: number) => boolean): number {
  let found = -1
  for (let member = 0; member < standing.members.length; member++) {
    if (mayBe(member) && (found < 0 || isBetter(standing, partition, member, found))) found = member
  }
  return found
}

function isBetter(standing: Standing, partition: number, member: number, found: number): boolean {
  if (standing.isEligible(member) !== standing.isEligible(found)) return standing.isEligible(member)
  const { isLeaving } = standing.members[member]!
  if (isLeaving !== standing.members[found]!.isLeaving) return !isLeaving
  return standing.lag(member, partition) < standing.lag(found, partition)
}
