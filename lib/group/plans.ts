/** Takes the plans that come for this member: those in this thread who follow them get them, and so does the main thread. */
import type { GroupNotice } from '../group-protocol/group-notice.ts'
import type { GroupPlan } from '../group-protocol/member.ts'
import type { FromGroupThread } from '../store-protocol/group-messages.ts'
import type { Expulsions } from './expulsion.ts'
import type { GroupCounters } from './group-counters.ts'
import type { Holdings } from './holdings.ts'
import type { LeaseRenewals } from './lease-renewals.ts'
import type { GroupAssignment } from './membership-options.ts'
import { excludedReason, readPlan } from './read-plan.ts'
import type { RejoinPace } from './rejoin-pace.ts'
import type { SuccessorHold } from './successor-hold.ts'
import type { UnreadPlans } from './unread-plans.ts'

export interface PlanFollowers {
  notice: GroupNotice
  renewals: LeaseRenewals
  pace: RejoinPace
  counters: GroupCounters
  expulsions: Expulsions
  holdings: Holdings
  successors: SuccessorHold
  unread: UnreadPlans
}

/** What a plan is read with. */
export interface PlanReader {
  group: string
  token: string | undefined
  /** Of this instance. */
  url: string
}

export class Plans {
  readonly #followers: PlanFollowers
  readonly #post: (message: FromGroupThread) => void
  #plan: GroupPlan | undefined
  #text = ''
  #memberId = ''

  constructor(followers: PlanFollowers, post: (message: FromGroupThread) => void) {
    this.#followers = followers
    this.#post = post
  }

  /** The last one that could be read. */
  get plan(): GroupPlan | undefined {
    return this.#plan
  }

  /** Of this instance, as the present generation has it. */
  get memberId(): string {
    return this.#memberId
  }

  /** @param differing names of settings that differ between members, if this one leads */
  take(assignment: GroupAssignment, reader: PlanReader, differing: readonly string[], nowMs: number): void {
    const { generation, memberId, leaderId, bytes } = assignment
    const { group, token, url } = reader
    this.#memberId = memberId
    const plan = readPlan({ group, generation }, token, { memberId, url }, bytes)
    if (plan.isUnread === true) {
      this.#unread(plan, assignment, nowMs)
      this.#followers.unread.came({ memberId, leaderId, found: excludedReason(plan, memberId)! }, nowMs)
    } else {
      this.#followers.unread.ended()
      this.#plan = plan
      this.#follow(plan, assignment, nowMs)
      this.#posted(plan, assignment, differing)
    }
  }

  /** It may be the plan of a stranger, or others may follow another plan: nothing moves, and nothing here is current. */
  #unread(plan: GroupPlan, assignment: GroupAssignment, nowMs: number): void {
    const { renewals, pace, counters, holdings } = this.#followers
    renewals.end()
    pace.planned(false)
    holdings.removed()
    if (this.#plan !== undefined) counters.unread()
    else {
      this.#follow(plan, assignment, nowMs)
      this.#posted(plan, assignment, [])
    }
  }

  #follow(plan: GroupPlan, { generation, memberId }: GroupAssignment, nowMs: number): void {
    const { notice, pace, counters, expulsions, holdings, successors } = this.#followers
    const text = JSON.stringify([plan.routes, plan.members])
    pace.planned(text !== this.#text)
    this.#text = text
    counters.planned(plan, memberId)
    expulsions.planned(plan.members, memberId)
    holdings.planned(plan, memberId)
    notice.holdsUntilMs = successors.planned(plan, memberId, nowMs)
    notice.generation = generation
  }

  #posted(plan: GroupPlan, assignment: GroupAssignment, differing: readonly string[]): void {
    const { generation, memberId, isLeader, protocol } = assignment
    const { figures } = this.#followers.counters
    const view = { plan, memberId, generation }
    const excluded = excludedReason(plan, memberId)
    this.#post({
      type: 'plan',
      view,
      isLeader,
      protocol,
      differing,
      figures,
      ...(excluded !== undefined && { excludedReason: excluded }),
    })
  }
}
