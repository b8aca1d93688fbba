/** This instance as a member of its group: joins it, reports what it holds, leads if it has to, passes plans on, leaves. */
import { deadline } from '../deadline.ts'
import { GroupNotice } from '../group-protocol/group-notice.ts'
import type { Holding, MemberReport } from '../group-protocol/member.ts'
import { sleep } from '../kafka/backoff.ts'
import { describeGroup } from '../kafka/described-group.ts'
import type { JoinedMember, JoinResult } from '../kafka/group-requests.ts'
import { bootTimeMs } from '../linux/boot-time.ts'
import type { FromGroupThread, GroupConfig } from '../store-protocol/group-messages.ts'
import { clientsConfigOf, createGroupClient, groupOf } from '../topics/clients.ts'
import { advertisedUrl } from './advertised-url.ts'
import { encodeSubscription } from './consumer-protocol.ts'
import { Expulsions } from './expulsion.ts'
import { GroupCounters } from './group-counters.ts'
import { noteGroupRebuild } from './group-rebuild.ts'
import { type FoundHoldings, hasOther, Holdings } from './holdings.ts'
import { Leader } from './leader.ts'
import { LeaseRenewals } from './lease-renewals.ts'
import { encodeMember } from './member-data.ts'
import { memberReports, type ReportNow } from './member-report.ts'
import { type GroupAssignment, Membership } from './membership.ts'
import { awaited, hasHandedOver, isStep } from './plan.ts'
import { Plans } from './plans.ts'
import { groupProtocols } from './protocols.ts'
import { isRefused } from './refused.ts'
import { RejoinPace } from './rejoin-pace.ts'
import { SuccessorHold } from './successor-hold.ts'
import { UnreadPlans } from './unread-plans.ts'

const lookIntervalMs = 100
/** For the answer to LeaveGroup: without it the session ends by itself. */
const leaveMs = 2_000
const forever = new AbortController().signal

export interface GroupInstanceEvents {
  post: (message: FromGroupThread) => void
  failed: (error: unknown) => void
}

export class GroupInstance {
  readonly #config: GroupConfig
  readonly #events: GroupInstanceEvents
  readonly #group: string
  readonly #client
  readonly #notice: GroupNotice
  readonly renewals: LeaseRenewals
  readonly #holdings = new Holdings()
  readonly #leader: Leader
  readonly #pace = new RejoinPace()
  readonly #counters = new GroupCounters()
  readonly expulsions: Expulsions
  readonly #unread: UnreadPlans
  readonly #plans: Plans
  readonly #reportOf: (now: ReportNow) => MemberReport
  readonly #left = Promise.withResolvers<void>()
  #membership: Membership | undefined
  #url = ''
  #partitionCount = 0
  #isBegun = false
  #isUnreachable = false
  #token: string | undefined
  #differing: readonly string[] = []
  /** What the last report had. */
  #reported: Pick<FoundHoldings, 'held' | 'unfit'> = { held: [], unfit: [] }
  #leavesByMs: number | undefined
  /** Whether the present plan knows that this instance leaves. */
  #isLeavingKnown = false
  #trouble: string | undefined
  #timer: ReturnType<typeof setInterval> | undefined

  constructor(config: GroupConfig, events: GroupInstanceEvents) {
    const { store, token, standbys } = config
    this.#config = config
    this.#events = events
    this.#group = groupOf(store)
    this.#client = createGroupClient(store)
    this.#notice = new GroupNotice(store.elastic!.notice!)
    this.renewals = new LeaseRenewals(this.#notice)
    this.#token = token
    this.#leader = new Leader({ group: this.#group, topic: store.sourceTopic, token, standbys })
    this.#reportOf = memberReports(config)
    this.expulsions = new Expulsions({
      suspected: () => this.#membership?.hurry(),
      isRefused,
      expel: async (memberId) => this.#membership?.expel(memberId),
      nowMs: bootTimeMs,
      sleep: (ms) => sleep(ms, forever),
    })
    this.#unread = new UnreadPlans({
      group: this.#group,
      token: () => this.#token,
      describe: () => describeGroup(this.#client, this.#group),
      expel: async (memberId) => this.#membership?.expel(memberId),
      said: (unread) => this.#events.post({ type: 'unread', ...unread }),
    })
    const [notice, renewals, pace, counters] = [this.#notice, this.renewals, this.#pace, this.#counters]
    const [expulsions, holdings, unread] = [this.expulsions, this.#holdings, this.#unread]
    const successors = new SuccessorHold(2 * clientsConfigOf(store).consumer.heartbeatMs)
    const followers = { notice, renewals, pace, counters, expulsions, holdings, successors, unread }
    this.#plans = new Plans(followers, events.post)
  }

  /** Adds what a store thread may hold. Joins the group with the first one. */
  addStoreThread(layout: readonly number[], stats: SharedArrayBuffer, partitionCount: number): void {
    this.#holdings.addStoreThread(layout, stats)
    this.#take(partitionCount)
    if (this.#isBegun) return
    this.#isBegun = true
    this.#begin().catch(this.#events.failed)
  }

  setReachable(isReachable: boolean): void {
    if (this.#isUnreachable === !isReachable) return
    this.#isUnreachable = !isReachable
    this.#pace.want(bootTimeMs(), 'reachable')
  }

  /** Signs and reads with another token from now on. */
  replaceToken(token: string): void {
    this.#token = token
    this.#leader.replaceToken(token)
    this.#ask('token')
  }

  /** Resolves when what this instance had as primary is with others, or the time is over, and the group is left. */
  async leave(handoverSeconds: number): Promise<void> {
    if (this.#leavesByMs === undefined) {
      this.#leavesByMs = bootTimeMs() + handoverSeconds * 1_000
      if (this.#membership === undefined) this.#left.resolve()
      else this.#ask('leaving')
    }
    await this.#left.promise
    clearInterval(this.#timer)
    await deadline(this.#membership?.leave().catch(() => {}) ?? Promise.resolve(), leaveMs, () => {})
    this.renewals.end()
    this.#client.close()
  }

  #take(partitionCount: number): void {
    if (partitionCount <= this.#partitionCount) return
    const isGrowth = this.#partitionCount > 0
    this.#partitionCount = partitionCount
    if (isGrowth) this.#pace.want(bootTimeMs(), 'partitions')
  }

  async #begin(): Promise<void> {
    this.#timer = setInterval(() => this.#look(), lookIntervalMs)
    const { place, store } = this.#config
    this.#url = await this.#client.retryForever(() => advertisedUrl(place, this.#client, this.#group))
    this.#events.post({ type: 'url', url: this.#url })
    if (store.rebuild === true) await noteGroupRebuild(this.#client, store, this.#partitionCount)
    if (this.#leavesByMs !== undefined) return
    const { sessionTimeoutMs, heartbeatMs } = clientsConfigOf(store).consumer
    this.#membership = new Membership(
      this.#client,
      {
        group: this.#group,
        protocols: groupProtocols,
        sessionTimeoutMs,
        rebalanceTimeoutMs: sessionTimeoutMs,
        heartbeatMs,
      },
      {
        report: () => this.#report(),
        assign: (members, joined, waitedMs) => this.#assign(members, joined, waitedMs),
        assigned: (assignment) => this.#assigned(assignment),
        removed: () => this.#removed(),
        resigned: () => this.#resigned(),
        answered: (sentAtMs, of) => this.renewals.answered(sentAtMs, of),
      },
      { nowMs: bootTimeMs, sleep },
    )
    await this.#membership.run()
  }

  #report(): Buffer {
    const { store } = this.#config
    // First this, then the holdings: a promotion that begins meanwhile is in the report, or waits for the plan.
    this.#notice.isJoining = true
    this.#events.post({ type: 'joining' })
    const { held, unfit } = this.#holdings.look(this.#plans.plan, bootTimeMs())
    this.#reported = { held, unfit }
    const isLeaving = this.#leavesByMs !== undefined
    this.#isLeavingKnown = isLeaving
    const [url, partitionCount, isUnreachable] = [this.#url, this.#partitionCount, this.#isUnreachable]
    const copies = { held, ...(unfit.length > 0 && { unfit }) }
    const report = this.#reportOf({ url, partitionCount, isLeaving, isUnreachable, ...copies })
    return encodeSubscription([store.sourceTopic], encodeMember(this.#group, this.#token, report))
  }

  #assign(members: readonly JoinedMember[], { generation }: JoinResult, waitedMs: number): ReadonlyMap<string, Buffer> {
    const decision = this.#leader.decide(members, generation, bootTimeMs(), waitedMs)
    this.#differing = decision.differing
    if (decision.settlesInMs !== undefined) setTimeout(() => this.#ask('settled'), decision.settlesInMs)
    return decision.assignments
  }

  #assigned(assignment: GroupAssignment): void {
    const reader = { group: this.#group, token: this.#token, url: this.#url }
    this.#plans.take(assignment, reader, assignment.isLeader ? this.#differing : [], bootTimeMs())
    this.#notice.isJoining = false
    const { plan } = this.#plans
    if (plan !== undefined && isStep(plan)) this.#membership?.hurry()
  }

  #removed(): void {
    this.renewals.end()
    this.#counters.asked('removed')
    this.#holdings.removed()
    this.#events.post({ type: 'removed' })
  }

  #resigned(): void {
    this.renewals.end()
    this.#counters.asked('removed')
    this.#events.post({ type: 'resigned' })
  }

  #look(): void {
    const nowMs = bootTimeMs()
    const { held, unfit, isLost } = this.#holdings.look(this.#plans.plan, nowMs)
    if (hasOther(unfit, this.#reported.unfit)) this.#pace.want(nowMs, 'room')
    if (isLost) this.#pace.want(nowMs, 'lost')
    const { plan, memberId } = this.#plans
    const why = plan && awaited(plan, memberId, held, this.#reported.held)
    if (why !== undefined) this.#pace.want(nowMs, why)
    const reason = this.#pace.take(nowMs)
    if (reason !== undefined) this.#ask(reason)
    this.#unread.look(nowMs).catch(this.#events.failed)
    const { trouble } = this.#client.health
    if (trouble !== this.#trouble) this.#events.post({ type: 'trouble', trouble: trouble ?? null })
    this.#trouble = trouble
    if (this.#leavesByMs === undefined) return
    if (this.#hasHandedOver(held) || nowMs >= this.#leavesByMs) this.#left.resolve()
  }

  #ask(reason: Parameters<GroupCounters['asked']>[0]): void {
    if (this.#membership === undefined || this.#membership.state === 'left') return
    this.#counters.asked(reason)
    this.#membership.rejoin()
  }

  #hasHandedOver(held: readonly Holding[]): boolean {
    // Without a lease, the others have what this one had, or the group has none that could take it.
    if (this.#membership === undefined || !this.#notice.hasLease()) return true
    if (this.#membership.state !== 'stable' || !this.#isLeavingKnown) return false
    return hasHandedOver(this.#plans.plan, this.#plans.memberId, held)
  }
}
