/** An instance without HTTP and Kafka: the membership, the leader and the plans are the real ones. */
import { GroupNotice } from '../../../../lib/group-protocol/group-notice.ts'
import type { GroupPlan, Holding, MemberReport } from '../../../../lib/group-protocol/member.ts'
import { encodeSubscription } from '../../../../lib/group/consumer-protocol.ts'
import { Expulsions } from '../../../../lib/group/expulsion.ts'
import { encodeMember } from '../../../../lib/group/member-data.ts'
import { type GroupAssignment, Membership } from '../../../../lib/group/membership.ts'
import { awaited, isStep } from '../../../../lib/group/plan.ts'
import { readPlan } from '../../../../lib/group/read-plan.ts'
import { RejoinPace } from '../../../../lib/group/rejoin-pace.ts'
import { SuccessorHold } from '../../../../lib/group/successor-hold.ts'
import { UnreadPlans } from '../../../../lib/group/unread-plans.ts'
import { changesOf } from '../plan-changes.ts'
import { SimulatedCopy } from './copy.ts'
import { type InstanceOptions, tokens } from './instance-options.ts'
import { SimulatedLeader } from './leader.ts'
import { SimulatedProcess, type Surroundings } from './process.ts'
import type { Fitness } from './profile.ts'

const stepMs = 400
const handoverMs = 20_000
const group = 'orders'
export class SimulatedInstance {
  readonly name: string
  readonly url: string
  readonly process: SimulatedProcess
  readonly membership: Membership
  readonly expulsions: Expulsions
  readonly fitness: Fitness
  readonly roomBytes: number
  readonly copies = new Map<number, SimulatedCopy>()
  plan: GroupPlan | undefined
  memberId = ''
  isLeaving = false
  /** Its listener is closed for a while. */
  isRefusing = false
  readonly #options: InstanceOptions
  readonly #around: Surroundings
  readonly #notice: GroupNotice
  readonly #hold: SuccessorHold
  readonly #unread: UnreadPlans
  readonly #pace = new RejoinPace()
  readonly #leader: SimulatedLeader
  #reported: readonly Holding[] = []
  #partitionCount: number
  #heldUntilMs = Number.NEGATIVE_INFINITY
  #planText = ''
  /** Others may have had meanwhile what is primary here. */
  #isDoubted = false
  #leavesAtMs = Number.POSITIVE_INFINITY

  constructor(around: Surroundings, options: InstanceOptions) {
    this.#around = around
    this.#options = options
    const { number, fitness, standbys, membership, faults } = options
    this.name = `i${number}`
    this.url = `http://10.0.0.${number}:80`
    this.fitness = fitness
    this.roomBytes = options.roomBytes
    this.#partitionCount = options.logs.length
    this.process = new SimulatedProcess(around)
    this.#notice = new GroupNotice(GroupNotice.buffer(membership.sessionTimeoutMs))
    this.#hold = new SuccessorHold(2 * membership.heartbeatMs)
    const leading = { group, token: tokens[fitness], standbys, faults, fail: options.fail }
    this.#leader = new SimulatedLeader(leading, options.logs)
    const sleep = (ms: number, signal: AbortSignal) => this.process.sleep(ms, signal)
    const nowMs = () => around.clock.nowMs
    this.membership = new Membership(
      this.process.client(faults.isHasty === true ? 1_500 : undefined),
      { group, protocols: ['latchkey-1'], ...membership },
      {
        report: () => this.#metadata(),
        assign: (members, { generation }, waitedMs) => {
          const decision = this.#leader.decide(members, generation, nowMs(), waitedMs)
          if (decision.settlesInMs !== undefined) {
            this.process.after(decision.settlesInMs, () => {
              options.say(`${this.name} asks for another plan: settled`)
              this.membership.rejoin()
            })
          }
          return decision.assignments
        },
        assigned: (assignment) => this.#assigned(assignment),
        removed: () => this.#removed(),
        resigned: () => {
          options.say(`${this.name} resigns`)
          this.#doubt()
        },
        answered: (sentAtMs) => {
          if (!this.#isDoubted || faults.ignoresLease === true) this.#notice.answered(sentAtMs)
        },
      },
      { nowMs, sleep },
    )
    this.expulsions = new Expulsions({
      suspected: () => this.membership.hurry(),
      isRefused: async (url) => options.isRefused(url),
      expel: (memberId) => this.membership.expel(memberId),
      sleep: (ms) => new Promise((resolve) => this.process.after(ms, resolve)),
      nowMs,
    })
    this.#unread = new UnreadPlans({
      group,
      token: () => tokens[fitness],
      describe: async () => around.coordinator.describe(),
      expel: (memberId) => this.membership.expel(memberId),
      said: ({ reason }) => options.say(`${this.name} has no plan: ${reason}`),
    })
    void this.membership.run()
    this.#step()
  }

  /** Whether it would answer now that it is the primary, with a lag of 0. */
  claims(partition: number): boolean {
    if (this.process.state !== 'running' || this.membership.state !== 'stable') return false
    const { ignoresLease, holdsNothing } = this.#options.faults
    const { nowMs } = this.#around.clock
    const hasLease = this.#notice.hasLease(nowMs) || ignoresLease === true
    const isHeld = nowMs < this.#heldUntilMs && holdsNothing !== true
    return hasLease && !isHeld && this.copies.get(partition)?.state === 'primary'
  }

  stop(): void {
    this.isLeaving = true
    this.#leavesAtMs = this.#around.clock.nowMs + handoverMs
    this.#pace.want(this.#around.clock.nowMs, 'leaving')
  }

  kill(): void {
    this.process.state = 'dead'
  }

  #metadata(): Buffer {
    const report = this.#report()
    this.#reported = report.held
    const isReadable = this.fitness !== 'unreadable'
    const data = isReadable ? encodeMember(group, tokens[this.fitness], report) : Buffer.from('no data of a store')
    return encodeSubscription([group], data)
  }

  #report(): MemberReport {
    const { number } = this.#options
    return {
      id: this.name,
      url: this.url,
      rack: `r${number % 2}`,
      partitionCount: this.#partitionCount,
      startedAtMs: number,
      settings: { PARTITIONER: this.fitness === 'setting' ? 'other' : 'same' },
      isLeaving: this.isLeaving,
      isUnreachable: false,
      roomBytes: this.roomBytes,
      held: [...this.copies.values()].map((copy) => copy.holding()),
    }
  }

  #doubt(): void {
    this.#isDoubted = true
    this.#notice.endLease()
  }

  #assigned({ generation, memberId, leaderId, bytes }: GroupAssignment): void {
    const { faults, say, logs } = this.#options
    const { nowMs } = this.#around.clock
    this.memberId = memberId
    const plan = readPlan({ group, generation }, tokens[this.fitness], { memberId, url: this.url }, bytes)
    if (plan.isUnread === true) {
      this.#doubt()
      this.#pace.planned(false)
      this.#unread.came({ memberId, leaderId, found: plan.excluded[0]!.reason }, nowMs)
      return
    }
    this.#unread.ended()
    if (this.#isDoubted) for (const copy of this.copies.values()) copy.demote()
    this.#isDoubted = false
    this.plan = plan
    this.#heldUntilMs = this.#hold.planned(plan, memberId, nowMs)
    this.expulsions.planned(plan.members, memberId)
    const text = JSON.stringify([plan.routes, plan.members])
    this.#pace.planned(text !== this.#planText)
    this.#planText = text
    const changes = changesOf(plan, memberId, this.#report().held)
    say(`${this.name} has plan ${generation}: ${JSON.stringify(changes)}`)
    for (const partition of changes.demote) this.copies.get(partition)!.demote()
    for (const partition of changes.drop) this.copies.delete(partition)
    for (const partition of changes.fill) {
      this.copies.set(partition, new SimulatedCopy(partition, logs[partition]!, this.process, faults))
    }
    for (const partition of changes.promote) this.copies.get(partition)!.isClaimed = true
    for (const copy of this.copies.values()) copy.isComplete ||= copy.isReady && this.#isComplete(copy.partition)
    if (isStep(plan)) this.membership.hurry()
  }

  #isComplete(partition: number): boolean {
    return this.plan?.routes[partition]?.isComplete === true
  }

  /** Copies stay. */
  #removed(): void {
    this.#options.say(`${this.name} was removed`)
    this.#notice.endLease()
    for (const copy of this.copies.values()) copy.demote()
  }

  #step(): void {
    const { nowMs } = this.#around.clock
    this.#lookAtTopic(nowMs)
    void this.#unread.look(nowMs)
    const isStable = this.membership.state === 'stable' && !this.#isDoubted
    for (const copy of this.copies.values()) {
      if (copy.isReady && this.#isComplete(copy.partition)) copy.isComplete = true
      if (!copy.step(this.#options.sourceEnd(), isStable, nowMs)) {
        this.#options.say(`${this.name} lost ${copy.partition}`)
        this.#pace.want(nowMs, 'lost')
      }
    }
    const reason = this.plan && awaited(this.plan, this.memberId, this.#report().held, this.#reported)
    if (reason !== undefined) this.#pace.want(nowMs, reason)
    const asked = this.#pace.take(nowMs)
    if (asked !== undefined) {
      this.#options.say(`${this.name} asks for another plan: ${asked}`)
      this.membership.rejoin()
    }
    if (this.isLeaving && (this.#hasHandedOver() || nowMs > this.#leavesAtMs)) {
      this.#options.say(`${this.name} leaves`)
      void this.membership.leave().catch(() => {})
      this.process.after(100, () => this.kill())
      return
    }
    this.process.after(stepMs, () => this.#step())
  }

  /** Each instance sees at another time that the topic has grown. */
  #lookAtTopic(nowMs: number): void {
    const { length } = this.#options.logs
    if (length === this.#partitionCount || this.process.isCut || this.process.chance(8) > 0) return
    this.#partitionCount = length
    this.#pace.want(nowMs, 'partitions')
  }

  #hasHandedOver(): boolean {
    const isPrimary = [...this.copies.values()].some(({ isClaimed }) => isClaimed)
    return !isPrimary && this.membership.state === 'stable'
  }
}
