/** Where a group stands: who holds what, as its members report it. Members are indexes here; their order is fixed. */
import type { GroupMember, Holding } from '../../group-protocol/member.ts'

/** A copy further behind than this is not ready, even if its holder reports so: it may have been stopped for a while. */
const behindMax = 100_000

export class Standing {
  readonly members: readonly GroupMember[]
  readonly partitions: number
  /** Members that may get primaries: reachable ones that stay. If there are none, those that stay, or else all. */
  readonly eligible: readonly number[]
  /** By partition, the member that has it now: it promotes it, or is its last primary; -1 if none. */
  readonly current: Int32Array
  readonly #isEligible: readonly boolean[]
  readonly #held: readonly (Holding | undefined)[][]
  /** Highest position that anybody reports. */
  readonly #ends: Float64Array
  /** Largest size that anybody reports. */
  readonly #bytes: Float64Array
  /** By member, the partitions that it has no room for beside what it holds. */
  readonly #unfit: readonly ReadonlySet<number>[]
  /** By member, what it holds. */
  readonly #heldBytes: readonly number[]
  readonly #seeds: readonly number[]

  constructor(members: readonly GroupMember[]) {
    this.members = members.toSorted((one, other) => compare(one.id, other.id) || compare(one.memberId, other.memberId))
    this.partitions = this.members.reduce((most, { partitionCount }) => Math.max(most, partitionCount), 0)
    this.eligible = eligibleOf(this.members)
    this.#isEligible = this.members.map((_, member) => this.eligible.includes(member))
    this.#seeds = this.members.map(({ id }) => hashOf(id))
    this.#ends = new Float64Array(this.partitions)
    this.#bytes = new Float64Array(this.partitions)
    const terms = new Float64Array(this.partitions).fill(-1)
    const claimants = Array.from({ length: this.partitions }, (): number[] => [])
    this.#held = this.members.map(({ held, partitionCount }, member) => {
      const byPartition = Array.from<Holding | undefined>({ length: this.partitions })
      for (const one of held) {
        if (one.partition >= partitionCount) continue
        byPartition[one.partition] = one
        this.#ends[one.partition] = Math.max(this.#ends[one.partition]!, one.position)
        this.#bytes[one.partition] = Math.max(this.#bytes[one.partition]!, one.bytes)
        terms[one.partition] = Math.max(terms[one.partition]!, one.term)
        if (one.isPromoting || one.isPrimary) claimants[one.partition]!.push(member)
      }
      return byPartition
    })
    this.#unfit = this.members.map(({ unfit = [] }) => new Set(unfit.map(({ partition }) => partition)))
    this.#heldBytes = this.members.map(({ held }) => held.reduce((sum, { bytes }) => sum + bytes, 0))
    for (const { unfit = [], partitionCount } of this.members) {
      for (const { partition, bytes } of unfit) {
        if (partition < partitionCount) this.#bytes[partition] = Math.max(this.#bytes[partition]!, bytes)
      }
    }
    this.current = Int32Array.from(claimants, (some, partition) => this.#currentOf(partition, some, terms[partition]!))
  }

  holding(member: number, partition: number): Holding | undefined {
    return this.#held[member]![partition]
  }

  isEligible(member: number): boolean {
    return this.#isEligible[member]!
  }

  /** Whether the member knows that the partition exists. */
  knows(member: number, partition: number): boolean {
    return partition < this.members[member]!.partitionCount
  }

  /** Whether the member has a whole copy, and can be primary without reading. */
  isReady(member: number, partition: number): boolean {
    const isReady = this.#held[member]![partition]?.isReady === true
    return isReady && (this.current[partition] === member || this.lag(member, partition) <= behindMax)
  }

  /** Records that a copy lacks of what anybody has; Infinity without a copy. */
  lag(member: number, partition: number): number {
    const holding = this.#held[member]![partition]
    return holding === undefined ? Number.POSITIVE_INFINITY : this.#ends[partition]! - holding.position
  }

  /** Bytes that a copy takes when it is full. */
  bytes(member: number, partition: number): number {
    const holding = this.#held[member]![partition]
    return holding?.isReady === true ? holding.bytes : this.#bytes[partition]!
  }

  /** Bytes that a member has for the partition and all others: where it was not enough, it takes it in place of others. */
  roomBytes(member: number, partition: number): number {
    const { roomBytes } = this.members[member]!
    return this.#unfit[member]!.has(partition) ? Math.min(roomBytes, this.#heldBytes[member]!) : roomBytes
  }

  /** Order of members for a partition where nothing else decides: the same in every instance, another for each partition. */
  rank(member: number, partition: number): number {
    return mixed(this.#seeds[member]! ^ Math.imul(partition + 1, 0x9e3779b1))
  }

  /**
   * One that promotes it got it from a plan, and is not interrupted. Else the primary of the highest term: one of a
   * lower term than anybody has seen does not know yet that it was succeeded.
   * @param term the highest
   */
  #currentOf(partition: number, claimants: readonly number[], term: number): number {
    let current = -1
    let isPromoting = false
    let highest = -1
    for (const member of claimants) {
      const one = this.#held[member]![partition]!
      if (!one.isPromoting && (isPromoting || one.term < term)) continue
      const isFurther = one.isPromoting && !isPromoting
      if (current >= 0 && !isFurther && one.term <= highest) continue
      current = member
      isPromoting = one.isPromoting
      highest = one.term
    }
    return current
  }
}

function eligibleOf(members: readonly GroupMember[]): number[] {
  const indexes = members.map((_, member) => member)
  const staying = indexes.filter((member) => !members[member]!.isLeaving)
  const reachable = staying.filter((member) => !members[member]!.isUnreachable)
  return [reachable, staying, indexes].find((some) => some.length > 0) ?? []
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}

/** FNV-1a. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}

/** The finalizer of MurmurHash3. */
function mixed(value: number): number {
  let hash = value >>> 0
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
