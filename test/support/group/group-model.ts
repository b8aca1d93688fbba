/** Members of a group without Kafka: they carry out plans at once, or as far as chance lets them. */
import type { GroupMember, GroupPlan, Holding } from '../../../lib/group-protocol/member.ts'
import type { Random } from '../random.ts'
import { changesOf } from './plan-changes.ts'

export interface ModelMember extends GroupMember {
  held: Holding[]
  rack: string
  roomBytes: number
  isLeaving: boolean
  isUnreachable: boolean
  partitionCount: number
}

const end = 1_000_000

/** A copy as a member begins it. */
export function newHolding(partition: number, bytes = 0): Holding {
  const none = { isReady: false, isPrimary: false, isPromoting: false, isComplete: false }
  return { partition, position: 0, bytes, term: -1, ...none, hasStrangers: false, isHalfRead: false, isStalled: false }
}

export class GroupModel {
  readonly partitions: number
  readonly bytesOf: (partition: number) => number
  members: ModelMember[] = []
  #ids = 0
  /** Offset of the last marker of each partition. */
  readonly #terms: number[]

  constructor(partitions: number, bytesOf: (partition: number) => number = () => 0) {
    this.partitions = partitions
    this.bytesOf = bytesOf
    this.#terms = Array.from({ length: partitions }, () => -1)
  }

  join(member: Partial<ModelMember> = {}): ModelMember {
    const number = this.#ids++
    const joined: ModelMember = {
      memberId: `member-${number}`,
      id: `instance-${number}`,
      url: `http://10.0.0.${number}:8080`,
      rack: '',
      partitionCount: this.partitions,
      startedAtMs: number,
      settings: {},
      isLeaving: false,
      isUnreachable: false,
      roomBytes: Number.POSITIVE_INFINITY,
      held: [],
      ...member,
    }
    this.members.push(joined)
    return joined
  }

  remove(member: ModelMember): void {
    this.members = this.members.filter((one) => one !== member)
  }

  primaryOf(partition: number): ModelMember | undefined {
    return this.members.find(({ held }) => held.some((one) => one.partition === partition && one.isPrimary))
  }

  holding(member: ModelMember, partition: number): Holding | undefined {
    return member.held.find((one) => one.partition === partition)
  }

  readyCopies(partition: number): ModelMember[] {
    return this.members.filter((member) => this.holding(member, partition)?.isReady)
  }

  countOf(member: ModelMember): number {
    return member.held.filter(({ isPrimary }) => isPrimary).length
  }

  /**
   * Lets all members do what a plan says. Copies that fill become ready, or do by chance.
   * @returns whether anything changed
   */
  carryOut(plan: GroupPlan, random?: Random): boolean {
    const before = JSON.stringify(this.members)
    const plans = this.members.map((member) => ({ member, changes: changesOf(plan, member.memberId, member.held) }))
    for (const { member, changes } of plans) {
      for (const partition of changes.fill) member.held.push(newHolding(partition, this.bytesOf(partition)))
      for (const partition of changes.demote) this.holding(member, partition)!.isPrimary = false
    }
    for (const { member, changes } of plans) {
      for (const partition of changes.promote) {
        const holding = this.holding(member, partition)!
        holding.isPrimary = true
        if (holding.isReady) this.#fence(holding)
      }
      member.held = member.held.filter(({ partition }) => !changes.drop.includes(partition))
    }
    for (const { held } of this.members) for (const holding of held) this.#fill(holding, random)
    return JSON.stringify(this.members) !== before
  }

  #fill(holding: Holding, random: Random | undefined): void {
    if (holding.isReady) return
    if (random !== undefined && random.next() < 0.5) {
      holding.position += Math.floor((end - holding.position) * random.next())
      holding.isHalfRead = holding.position > end / 2
      return
    }
    holding.position = end
    holding.isReady = true
    holding.isHalfRead = true
    if (holding.isPrimary) this.#fence(holding)
    else holding.term = this.#terms[holding.partition]!
  }

  /** Every ready copy reads the marker soon. */
  #fence({ partition }: Holding): void {
    const term = this.#terms[partition]! + 1
    this.#terms[partition] = term
    for (const { held } of this.members) {
      for (const one of held) if (one.partition === partition && one.isReady) one.term = term
    }
  }
}
