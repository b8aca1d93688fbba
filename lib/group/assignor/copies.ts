/**
 * Who has a copy of each partition beside its primary: standbys, the target that fills, and holders that are kept until
 * enough others are ready. Copies take the room that primaries leave: standbys first, targets that fill last.
 */
import type { Room } from './room.ts'
import type { Standing } from './standing.ts'

export interface Copies {
  /** By partition, without the primary; ready ones first. */
  copies: number[][]
  /** By partition, the member that fills in order to be the next primary; -1 if there is none. */
  warmUps: Int32Array
  /** By partition, whether copies are kept only until others are ready. */
  retained: boolean[]
}

export function copiesOf(
  standing: Standing,
  primaries: Int32Array,
  targets: Int32Array,
  room: Room,
  standbys: number,
): Copies {
  const wanted = Math.min(standbys, standing.eligible.length - 1)
  const standbysOf = new Standbys(standing, room, wanted)
  const sets = Array.from(primaries, (primary, partition) => {
    if (primary < 0) return new Set<number>()
    return standbysOf.choose(partition, primary, targets[partition]! < 0 ? primary : targets[partition]!)
  })
  const retained = sets.map((set, partition) => {
    return keepReady(standing, room, partition, primaries[partition]!, set, wanted)
  })
  const warmUps = new Int32Array(standing.partitions).fill(-1)
  for (const [partition, set] of sets.entries()) {
    const target = targets[partition]!
    if (primaries[partition]! < 0 || target < 0 || target === primaries[partition]) continue
    if (!set.has(target)) {
      if (!room.fits(target, partition)) continue
      room.take(target, partition)
      set.add(target)
    }
    warmUps[partition] = target
  }
  const isUnready = (member: number, partition: number) => Number(!standing.isReady(member, partition))
  const copies = sets.map((set, partition) => {
    return [...set].toSorted((a, b) => isUnready(a, partition) - isUnready(b, partition) || a - b)
  })
  return { copies, warmUps, retained }
}

/** No member has as many copies. */
const countsBeyond = 2 ** 32

/** Chooses standbys partition by partition: another rack first, then balanced, then who has a copy already. */
class Standbys {
  readonly #standing: Standing
  readonly #room: Room
  readonly #wanted: number
  /** Number of standbys by member. */
  readonly #counts: Int32Array
  readonly #countMax: number

  constructor(standing: Standing, room: Room, wanted: number) {
    this.#standing = standing
    this.#room = room
    this.#wanted = wanted
    this.#counts = new Int32Array(standing.members.length)
    this.#countMax = Math.ceil((standing.partitions * wanted) / standing.eligible.length)
  }

  /** @param target primary in the end: the standbys are those beside it */
  choose(partition: number, primary: number, target: number): Set<number> {
    const { members, eligible } = this.#standing
    const chosen = new Set<number>()
    const racks = new Set([members[target]!.rack])
    for (let place = 0; place < this.#wanted; place++) {
      let best = -1
      let least = Number.POSITIVE_INFINITY
      for (const member of eligible) {
        if (member === target || chosen.has(member) || !this.#standing.knows(member, partition)) continue
        if (member !== primary && !this.#room.fits(member, partition)) continue
        const order = this.#order(member, partition, racks.has(members[member]!.rack))
        if (order > least || (order === least && !this.#isFirst(member, best, partition))) continue
        best = member
        least = order
      }
      if (best < 0) break
      chosen.add(best)
      racks.add(members[best]!.rack)
      this.#counts[best]!++
      // The primary of now has taken its room.
      if (best !== primary) this.#room.take(best, partition)
    }
    chosen.delete(primary)
    return chosen
  }

  /** One number for all that decides, the most important in the highest digit. The least is the best. */
  #order(member: number, partition: number, isSameRack: boolean): number {
    const count = this.#counts[member]!
    const isFull = count >= this.#countMax
    const isUnready = !this.#standing.isReady(member, partition)
    const isMissing = this.#standing.holding(member, partition) === undefined
    const digits = (isSameRack ? 8 : 0) + (isFull ? 4 : 0) + (isUnready ? 2 : 0) + (isMissing ? 1 : 0)
    return digits * countsBeyond + count
  }

  #isFirst(member: number, other: number, partition: number): boolean {
    return this.#standing.rank(member, partition) < this.#standing.rank(other, partition)
  }
}

/**
 * Keeps ready copies of others until as many are ready as there shall be. They are in memory already.
 * @returns whether there are any
 */
function keepReady(
  standing: Standing,
  room: Room,
  partition: number,
  primary: number,
  set: Set<number>,
  wanted: number,
): boolean {
  if (primary < 0) return false
  const isReady = (member: number) => standing.isReady(member, partition)
  let ready = [primary, ...set].filter(isReady).length
  const count = set.size
  if (ready > wanted) return false
  const members = standing.members.map((_, member) => member)
  const others = members.filter((member) => member !== primary && !set.has(member) && isReady(member))
  const byStay = others.toSorted((a, b) => Number(standing.isEligible(b)) - Number(standing.isEligible(a)) || a - b)
  for (const member of byStay) {
    if (ready > wanted) break
    if (!room.fits(member, partition)) continue
    room.take(member, partition)
    set.add(member)
    ready++
  }
  return set.size > count
}
