/**
 * What the leader does: from what all members have sent to what each of them gets. Members that cannot be read, or whose
 * settings do not fit, get a plan without partitions, which says why.
 */
import { LatchkeyError } from '../errors.ts'
import type { ExcludedMember, GroupMember, GroupPlan } from '../group-protocol/member.ts'
import type { JoinedMember } from '../kafka/group-requests.ts'
import { assignPartitions } from './assignor.ts'
import { encodeAssignment } from './consumer-protocol.ts'
import { compareUrls } from './loopback-urls.ts'
import { encodePlan, exclusion, tooLarge } from './member-data.ts'
import { readMember } from './read-member.ts'
import { compareSettings } from './settings.ts'
import { budgetBytes, limitBytes, recordBytes } from './sizes.ts'

/** Time without a new member after which partitions without any copy are assigned. */
const settlesMs = 3_000
/** Time after which they are assigned although members keep joining, as one that fails at each start does. */
const settlesMaxMs = 15_000

export interface LeaderOptions {
  group: string
  /** Source topic, for tools that show partitions of members. */
  topic: string
  token: string | undefined
  standbys: number
}

export interface GroupDecision {
  plan: GroupPlan
  /** By member id. */
  assignments: Map<string, Buffer>
  /** Names of settings that may differ between members, and do. */
  differing: readonly string[]
  /**
   * Milliseconds until another plan can assign partitions without any copy; undefined if it need not, or if it was said
   * before.
   */
  settlesInMs: number | undefined
}

export class Leader {
  readonly #options: LeaderOptions
  #token: string | undefined
  #known: ReadonlySet<string> = new Set()
  #newestMs = Number.NEGATIVE_INFINITY
  /** The last time for which another plan was announced. */
  #saidMs = Number.NEGATIVE_INFINITY
  /** Since when partitions without any copy wait. */
  #waitingSinceMs: number | undefined

  constructor(options: LeaderOptions) {
    this.#options = options
    this.#token = options.token
  }

  /** Reads and signs with another token from now on. */
  replaceToken(token: string): void {
    this.#token = token
  }

  /**
   * Decides for one generation.
   * @param waitedMs how long the coordinator has waited for members before
   * @throws LatchkeyError internal if this instance is in the minority: another leader should decide
   */
  decide(joined: readonly JoinedMember[], generation: number, nowMs: number, waitedMs = 0): GroupDecision {
    const { members, excluded } = this.#read(joined)
    if (members.length * 2 < joined.length && joined.length > 2) {
      const found = `${excluded.length} of ${joined.length} members cannot be read`
      throw new LatchkeyError(
        'internal',
        `Deciding for group ${this.#options.group}: ${found}, e.g. ${excluded[0]!.reason}`,
      )
    }
    const { fit: agreeing, unfit, differing } = compareSettings(members)
    const { fit, unfit: apart } = compareUrls(agreeing)
    for (const { member, names } of unfit) {
      const reason = `${names.join(', ')} differs from the other members: set it as they have it`
      excluded.push({ memberId: member.memberId, url: member.url, reason })
    }
    for (const { member, reason } of apart) excluded.push({ memberId: member.memberId, url: member.url, reason })
    const isSettled = this.#isSettled(fit, nowMs, waitedMs)
    const { plan, assignments } = this.#fitting(joined, fit, excluded, generation, isSettled)
    const isWaiting = !isSettled && plan.routes.some(({ primary }) => primary < 0)
    this.#waitingSinceMs = isWaiting ? (this.#waitingSinceMs ?? nowMs) : undefined
    return { plan, assignments, differing, settlesInMs: isWaiting ? this.#settlesInMs(nowMs) : undefined }
  }

  #read(joined: readonly JoinedMember[]): { members: GroupMember[]; excluded: ExcludedMember[] } {
    const { group } = this.#options
    const token = this.#token
    const members: GroupMember[] = []
    const excluded: ExcludedMember[] = []
    for (const { memberId, metadata } of joined) {
      const { value, reason } = readMember(group, token, metadata)
      if (value === undefined) excluded.push({ memberId, url: '', reason })
      else members.push({ memberId, ...value })
    }
    return { members, excluded }
  }

  #isSettled(members: readonly GroupMember[], nowMs: number, waitedMs: number): boolean {
    // For the first members of a group, the coordinator waits until none has joined for a while.
    const isFirst = this.#known.size === 0
    if (members.some(({ id }) => !this.#known.has(id))) this.#newestMs = isFirst ? nowMs - waitedMs : nowMs
    this.#known = new Set(members.map(({ id }) => id))
    return nowMs >= this.#settlesAtMs()
  }

  #settlesInMs(nowMs: number): number | undefined {
    const atMs = this.#settlesAtMs()
    if (atMs === this.#saidMs) return undefined
    this.#saidMs = atMs
    return atMs - nowMs
  }

  #settlesAtMs(): number {
    const latestMs = (this.#waitingSinceMs ?? Number.POSITIVE_INFINITY) + settlesMaxMs
    return Math.min(this.#newestMs + settlesMs, latestMs)
  }

  /** Plans, and leaves out what the coordinator could not keep. */
  #fitting(
    joined: readonly JoinedMember[],
    fit: readonly GroupMember[],
    unread: readonly ExcludedMember[],
    generation: number,
    isSettled: boolean,
  ): { plan: GroupPlan; assignments: Map<string, Buffer> } {
    const options = { standbys: this.#options.standbys, isSettled }
    const byAge = fit.toSorted((one, other) => one.startedAtMs - other.startedAtMs || (one.id < other.id ? -1 : 1))
    const excluded = [...unread]
    for (;;) {
      const plan = assignPartitions(byAge, options, excluded)
      const whole = this.#encode(joined, plan, generation, false)
      if (recordBytes(joined, whole) <= budgetBytes) return { plan, assignments: whole }
      const fixed = recordBytes(joined, new Map())
      const isLast = byAge.length <= 1
      // Each of them takes a while to make, and they are about equal in size.
      let perMember = encodePlan({ group: this.#options.group, generation }, this.#token, plan, 0).length
      if (isLast || fixed + perMember * byAge.length <= limitBytes) {
        const own = this.#encode(joined, plan, generation, true)
        const bytes = recordBytes(joined, own)
        if (isLast || bytes <= limitBytes) return { plan, assignments: own }
        perMember = (bytes - fixed) / byAge.length
      }
      const kept = Math.min(byAge.length - 1, Math.max(1, Math.floor((limitBytes - fixed) / perMember)))
      for (const { memberId, url } of byAge.splice(kept)) {
        excluded.push({ memberId, url, reason: tooLarge })
      }
    }
  }

  /** @param isOwnOnly whether a member gets its own copies only, and no routes to those of others */
  #encode(
    joined: readonly JoinedMember[],
    plan: GroupPlan,
    generation: number,
    isOwnOnly: boolean,
  ): Map<string, Buffer> {
    const { group, topic } = this.#options
    const token = this.#token
    const context = { group, generation }
    const indexes = new Map(plan.members.map(({ memberId }, index) => [memberId, index]))
    const whole = isOwnOnly ? undefined : encodePlan(context, token, plan)
    const assignments = new Map<string, Buffer>()
    const excluded = new Map(plan.excluded.map((one) => [one.memberId, one]))
    const primaries = Map.groupBy(plan.routes.keys(), (partition) => plan.routes[partition]!.primary)
    for (const { memberId } of joined) {
      const index = indexes.get(memberId)
      const reason = excluded.get(memberId)
      // An empty assignment says the same as this reason.
      if (reason?.reason === tooLarge) continue
      const own = reason && encodePlan(context, token, exclusion(reason))
      const data = own ?? whole ?? encodePlan(context, token, plan, index)
      assignments.set(memberId, encodeAssignment(topic, (index !== undefined && primaries.get(index)) || [], data))
    }
    return assignments
  }
}
