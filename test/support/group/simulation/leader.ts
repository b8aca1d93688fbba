/** A leader whose plans are checked against what the members have said, and into which defects can be planted. */
import type { GroupMember, GroupPlan } from '../../../../lib/group-protocol/member.ts'
import { encodeAssignment, encodeSubscription } from '../../../../lib/group/consumer-protocol.ts'
import { type GroupDecision, Leader } from '../../../../lib/group/leader.ts'
import { encodeMember, encodePlan } from '../../../../lib/group/member-data.ts'
import { readMember } from '../../../../lib/group/read-member.ts'
import type { JoinedMember } from '../../../../lib/kafka/group-requests.ts'
import type { InstanceFaults } from './faults.ts'
import type { SimulatedLog } from './log.ts'

export interface SimulatedLeaderOptions {
  group: string
  token: string | undefined
  standbys: number
  faults: InstanceFaults
  fail: (found: string) => never
}

export class SimulatedLeader {
  readonly #options: SimulatedLeaderOptions
  readonly #leader: Leader
  readonly #logs: readonly SimulatedLog[]

  constructor(options: SimulatedLeaderOptions, logs: readonly SimulatedLog[]) {
    const { group, token, standbys } = options
    this.#options = options
    this.#leader = new Leader({ group, topic: group, token, standbys })
    this.#logs = logs
  }

  decide(joined: readonly JoinedMember[], generation: number, nowMs: number, waitedMs: number): GroupDecision {
    const decision = this.#leader.decide(this.#altered(joined), generation, nowMs, waitedMs)
    if (this.#options.faults.movesUnready === true) this.#moveToTargets(decision, joined, generation)
    const members = joined.flatMap((one) => this.#read(one, this.#options.token) ?? [])
    this.#check(decision.plan, members)
    return decision
  }

  #read({ memberId, metadata }: JoinedMember, token: string | undefined): GroupMember | undefined {
    const { value } = readMember(this.#options.group, token, metadata)
    return value && { memberId, ...value }
  }

  /** What a leader with a planted defect reads. */
  #altered(joined: readonly JoinedMember[]): readonly JoinedMember[] {
    const { group, token, faults } = this.#options
    const { interrupts, trustsUnsigned, ignoresRoom } = faults
    if (interrupts !== true && trustsUnsigned !== true && ignoresRoom !== true) return joined
    return joined.map((one) => {
      const member = this.#read(one, token) ?? (trustsUnsigned === true ? this.#read(one, undefined) : undefined)
      if (member === undefined) return one
      const held = member.held.map((holding) => {
        return interrupts === true && holding.isPromoting
          ? { ...holding, isPromoting: false, isPrimary: false }
          : holding
      })
      const roomBytes = ignoresRoom === true ? Number.POSITIVE_INFINITY : member.roomBytes
      const data = encodeMember(group, token, { ...member, held, roomBytes })
      return { memberId: one.memberId, metadata: encodeSubscription([group], data) }
    })
  }

  #moveToTargets(decision: GroupDecision, joined: readonly JoinedMember[], generation: number): void {
    const { group, token } = this.#options
    const routes = decision.plan.routes.map((route) => {
      const { primary, target, copies } = route
      if (target < 0) return route
      return { ...route, primary: target, target: -1, copies: copies.map((copy) => (copy === target ? primary : copy)) }
    })
    decision.plan = { ...decision.plan, routes }
    const data = encodePlan({ group, generation }, token, decision.plan)
    for (const { memberId } of joined) decision.assignments.set(memberId, encodeAssignment(group, [], data))
  }

  /** Checks a plan against what all members that it can read have reported. */
  #check(plan: GroupPlan, members: readonly GroupMember[]): void {
    const byId = new Map(members.map((member) => [member.memberId, member]))
    const used = new Map<GroupMember, { bytes: number; isStaying: boolean }>()
    for (const { memberId } of plan.members) {
      const member = byId.get(memberId)
      if (member === undefined) this.#options.fail(`a plan has member ${memberId}, whose data are not signed`)
      used.set(member, { bytes: 0, isStaying: true })
    }
    const planned = plan.members.map(({ memberId }) => byId.get(memberId)!)
    for (const [partition, { primary, copies }] of plan.routes.entries()) {
      const holders = primary < 0 ? [] : [primary, ...copies]
      const isKnown = planned.some((member) => holdingOf(member, partition) !== undefined)
      for (const holder of holders) {
        const use = used.get(planned[holder]!)!
        const own = holdingOf(planned[holder]!, partition)
        use.bytes += isKnown ? this.#logs[partition]!.bytes : 0
        if (holder !== primary || (own?.isPrimary !== true && own?.isPromoting !== true)) use.isStaying = false
      }
      this.#checkPrimary(partition, planned, primary)
    }
    for (const [member, { bytes, isStaying }] of used) {
      if (bytes > member.roomBytes && !isStaying) {
        this.#options.fail(`a plan has ${bytes} bytes for ${member.id}, which has room for ${member.roomBytes}`)
      }
    }
  }

  /** A partition moves to a member that has it in memory, and not away from one that promotes it. */
  #checkPrimary(partition: number, members: readonly GroupMember[], primary: number): void {
    const holders = members.filter((member) => holdingOf(member, partition) !== undefined)
    const promoting = holders.filter((member) => holdingOf(member, partition)!.isPromoting)
    const chosen = members[primary]
    if (promoting.length > 0 && !promoting.includes(chosen!)) {
      this.#options.fail(`a plan interrupts the promotion of partition ${partition} at ${promoting[0]!.id}`)
    }
    if (chosen === undefined || promoting.length > 0) return
    const own = holdingOf(chosen, partition)
    if (own?.isReady === true || own?.isPrimary === true) return
    const ready = holders.find((member) => {
      return holdingOf(member, partition)!.isReady && member.roomBytes === Number.POSITIVE_INFINITY
    })
    if (ready) this.#options.fail(`partition ${partition} moves to ${chosen.id}, unready, while ${ready.id} has it`)
  }
}

function holdingOf(member: GroupMember, partition: number) {
  return member.held.find((one) => one.partition === partition)
}
