/** An instance without HTTP and Kafka: the membership, the leader and the plans are the real ones. */
import { GroupNotice } from '../../../../lib/group-protocol/group-notice.ts'
import type { GroupPlan, Holding, MemberReport } from '../../../../lib/group-protocol/member.ts'
import { assignmentData, encodeSubscription } from '../../../../lib/group/consumer-protocol.ts'
import { Leader } from '../../../../lib/group/leader.ts'
import { decodePlan, encodeMember } from '../../../../lib/group/member-data.ts'
import { type GroupAssignment, Membership, type MembershipOptions } from '../../../../lib/group/membership.ts'
import { awaited, changesOf } from '../../../../lib/group/plan.ts'
import { RejoinPace } from '../../../../lib/group/rejoin-pace.ts'
import { type CopyFaults, SimulatedCopy } from './copy.ts'
import type { SimulatedLog } from './log.ts'
import { SimulatedProcess, type Surroundings } from './process.ts'

export interface InstanceFaults extends CopyFaults {
  /** Claims without a lease. */
  ignoresLease?: boolean
  /** Names a rebalance timeout to the coordinator that is below the session timeout. */
  isHasty?: boolean
  /** Stays primary when the coordinator has removed it. */
  ignoresRemoval?: boolean
}

export interface InstanceOptions {
  number: number
  standbys: number
  logs: readonly SimulatedLog[]
  /** End of each partition of the source. */
  sourceEnd: () => number
  membership: Omit<MembershipOptions, 'group' | 'protocols'>
  faults: InstanceFaults
  say: (line: string) => void
}

const stepMs = 400
const handoverMs = 20_000
const group = 'orders'

export class SimulatedInstance {
  readonly name: string
  readonly process: SimulatedProcess
  readonly membership: Membership
  readonly copies = new Map<number, SimulatedCopy>()
  plan: GroupPlan | undefined
  isLeaving = false
  readonly #options: InstanceOptions
  readonly #around: Surroundings
  readonly #notice: GroupNotice
  readonly #pace = new RejoinPace()
  readonly #leader: Leader
  #memberId = ''
  #reported: readonly Holding[] = []
  #planText = ''
  #leavesAtMs = Number.POSITIVE_INFINITY

  constructor(around: Surroundings, options: InstanceOptions) {
    this.#around = around
    this.#options = options
    this.name = `i${options.number}`
    this.process = new SimulatedProcess(around)
    this.#notice = new GroupNotice(GroupNotice.buffer(options.membership.sessionTimeoutMs))
    this.#leader = new Leader({ group, topic: group, token: undefined, standbys: options.standbys })
    const sleep = (ms: number, signal: AbortSignal) => this.process.sleep(ms, signal)
    this.membership = new Membership(
      this.process.client(options.faults.isHasty === true ? 1_500 : undefined),
      { group, protocols: ['latchkey-1'], ...options.membership },
      {
        report: () => {
          const report = this.#report()
          this.#reported = report.held
          return encodeSubscription([group], encodeMember(group, undefined, report))
        },
        assign: (members, { generation }) => {
          const decision = this.#leader.decide(members, generation, around.clock.nowMs)
          if (decision.settlesInMs !== undefined) {
            this.process.after(decision.settlesInMs, () => this.membership.rejoin())
          }
          return decision.assignments
        },
        assigned: (assignment) => this.#assigned(assignment),
        removed: () => this.#removed(),
        resigned: () => this.#notice.endLease(),
        answered: (sentAtMs) => this.#notice.answered(sentAtMs),
      },
      { nowMs: () => around.clock.nowMs, sleep },
    )
    void this.membership.run()
    this.#step()
  }

  /** Whether it would answer now that it is the primary, with a lag of 0. */
  claims(partition: number): boolean {
    if (this.process.state !== 'running' || this.membership.state !== 'stable') return false
    const hasLease = this.#notice.hasLease(this.#around.clock.nowMs) || this.#options.faults.ignoresLease === true
    return hasLease && this.copies.get(partition)?.state === 'primary'
  }

  stop(): void {
    this.isLeaving = true
    this.#leavesAtMs = this.#around.clock.nowMs + handoverMs
    this.#pace.want(this.#around.clock.nowMs, 'leaving')
  }

  kill(): void {
    this.process.state = 'dead'
  }

  #report(): MemberReport {
    const { number, logs } = this.#options
    return {
      id: this.name,
      url: `http://10.0.0.${number}:80`,
      rack: `r${number % 2}`,
      partitionCount: logs.length,
      startedAtMs: number,
      settings: {},
      isLeaving: this.isLeaving,
      isUnreachable: false,
      roomBytes: Number.POSITIVE_INFINITY,
      held: [...this.copies.values()].map((copy) => copy.holding()),
    }
  }

  #assigned({ generation, memberId, bytes }: GroupAssignment): void {
    this.#memberId = memberId
    const { value, reason } = decodePlan({ group, generation }, undefined, assignmentData(bytes))
    if (value === undefined) throw new Error(`read the plan of generation ${generation}: ${reason}`)
    this.plan = value
    const text = JSON.stringify([value.routes, value.members])
    this.#pace.planned(text !== this.#planText)
    this.#planText = text
    const changes = changesOf(value, memberId, this.#report().held)
    this.#options.say(`${this.name} has plan ${generation}: ${JSON.stringify(changes)}`)
    for (const partition of changes.demote) this.copies.get(partition)!.demote()
    for (const partition of changes.drop) this.copies.delete(partition)
    for (const partition of changes.fill) {
      this.copies.set(
        partition,
        new SimulatedCopy(partition, this.#options.logs[partition]!, this.process, this.#options.faults),
      )
    }
    for (const partition of changes.promote) this.copies.get(partition)!.isClaimed = true
    for (const copy of this.copies.values()) {
      copy.isComplete ||= copy.isReady && value.routes[copy.partition]!.isComplete
    }
  }

  /** Copies stay. */
  #removed(): void {
    this.#options.say(`${this.name} was removed`)
    if (this.#options.faults.ignoresRemoval === true) return
    this.#notice.endLease()
    for (const copy of this.copies.values()) copy.demote()
  }

  #step(): void {
    const { nowMs } = this.#around.clock
    for (const copy of this.copies.values()) {
      const isKnown = this.plan?.routes[copy.partition]?.isComplete === true
      if (isKnown && copy.isReady) copy.isComplete = true
      if (!copy.step(this.#options.sourceEnd(), this.membership.state === 'stable')) {
        this.#options.say(`${this.name} lost ${copy.partition}`)
        this.#pace.want(nowMs, 'lost')
      }
    }
    const reason = this.plan && awaited(this.plan, this.#memberId, this.#report().held, this.#reported)
    if (reason !== undefined) this.#pace.want(nowMs, reason)
    if (this.#pace.take(nowMs) !== undefined) this.membership.rejoin()
    if (this.isLeaving && (this.#hasHandedOver() || nowMs > this.#leavesAtMs)) {
      this.#options.say(`${this.name} leaves`)
      void this.membership.leave().catch(() => {})
      this.process.after(100, () => this.kill())
      return
    }
    this.process.after(stepMs, () => this.#step())
  }

  #hasHandedOver(): boolean {
    const isPrimary = [...this.copies.values()].some(({ isClaimed }) => isClaimed)
    return !isPrimary && this.membership.state === 'stable'
  }
}
