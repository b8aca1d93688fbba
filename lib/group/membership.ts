/**
 * Membership in the group that assigns partitions, over the classic protocol of Kafka's group coordinator. What members
 * report and what their leader plans are opaque bytes here.
 *
 * Two loops. One joins, and joins again when a new plan is wanted. The other sends heartbeats on a connection of its
 * own, also while JoinGroup waits for a silent member: REBALANCE_IN_PROGRESS proves membership as well as success does.
 * No failure ends the membership. Both loops repeat until leave().
 */
import { LatchkeyError, messageOf } from '../errors.ts'
import type { KafkaClient } from '../kafka/client.ts'
import {
  type GroupIdentity,
  heartbeat,
  joinGroup,
  type JoinResult,
  leaveGroup,
  syncGroup,
} from '../kafka/group-requests.ts'
import { hasBrokerCode, illegalGeneration, rebalanceInProgress, unknownMember } from '../kafka/protocol/error-codes.ts'
import { isDebug, loggerOf } from '../log/index.ts'
import { HeartbeatPace } from './heartbeat-pace.ts'
import type { MembershipClock, MembershipEvents, MembershipOptions, MembershipState } from './membership-options.ts'
import { removeSilentLeader } from './silent-leader.ts'

export type * from './membership-options.ts'

const log = loggerOf('group')

/** One may be chance. */
const failedPlansMax = 2

export class Membership {
  readonly #client: KafkaClient
  readonly #options: MembershipOptions
  readonly #events: MembershipEvents
  readonly #clock: MembershipClock
  readonly #leaving = new AbortController()
  readonly #pace: HeartbeatPace
  readonly #operation = Symbol('membership')
  #state: MembershipState = 'joining'
  #memberId = ''
  #generation = -1
  /** Plans in a row that this member could not make as the leader of others. */
  #failedPlans = 0
  /** Resolved when a join is wanted. */
  #wanted = Promise.withResolvers<void>()

  /** @throws LatchkeyError internal if the rebalance timeout is less than the session timeout */
  constructor(client: KafkaClient, options: MembershipOptions, events: MembershipEvents, clock: MembershipClock) {
    const { sessionTimeoutMs, rebalanceTimeoutMs } = options
    if (rebalanceTimeoutMs < sessionTimeoutMs) {
      const found = `a rebalance timeout of ${rebalanceTimeoutMs} ms, below the session timeout of ${sessionTimeoutMs} ms`
      throw new LatchkeyError('internal', `Joining group ${options.group}: ${found}`)
    }
    this.#client = client
    this.#options = options
    this.#events = events
    this.#clock = clock
    this.#pace = new HeartbeatPace(options.heartbeatMs, clock)
    this.#wanted.resolve()
  }

  get state(): MembershipState {
    return this.#state
  }

  /** What heartbeats state; undefined while the coordinator knows no generation of this member. */
  get identity(): GroupIdentity | undefined {
    if (this.#memberId === '' || this.#generation < 0) return undefined
    return { group: this.#options.group, memberId: this.#memberId, generation: this.#generation }
  }

  /** Runs until leave(). Rejects only after a defect. */
  async run(): Promise<void> {
    await Promise.all([this.#join(), this.#beat()])
  }

  /** Asks for a new plan: all members join again. Further calls before that happens have no effect. */
  rejoin(): void {
    this.#wanted.resolve()
  }

  /** Another member is about to ask for a new plan: heartbeats follow each other sooner for a while. */
  hurry(): void {
    this.#pace.hurry()
  }

  /**
   * Leaves the group, so that the others need not wait for the session to end. Resolves when the coordinator has
   * answered, or rejects after one attempt: the session ends by itself.
   */
  async leave(): Promise<void> {
    if (this.#state === 'left') return
    this.#state = 'left'
    this.#leaving.abort()
    this.#pace.end()
    this.#wanted.resolve()
    this.#client.health.over(this.#operation)
    const memberId = this.#memberId
    this.#memberId = ''
    if (memberId !== '') await leaveGroup(this.#client, this.#options.group, memberId)
  }

  /** Removes another member, which the caller knows to be dead. Rejects if the coordinator does not know it. */
  expel(memberId: string): Promise<void> {
    return leaveGroup(this.#client, this.#options.group, memberId)
  }

  async #join(): Promise<void> {
    const retryPolicy = this.#client.retryPolicy()
    for (;;) {
      await this.#wanted.promise
      if (this.#hasLeft()) return
      this.#wanted = Promise.withResolvers()
      this.#state = 'joining'
      try {
        await this.#joinOnce()
        retryPolicy.reset()
        this.#client.health.succeeded(this.#operation)
      } catch (error) {
        if (this.#hasLeft()) return
        this.#wanted.resolve()
        // The others join again: so does this member, at once.
        if (hasBrokerCode(error, rebalanceInProgress)) continue
        if (hasBrokerCode(error, unknownMember)) this.#forget()
        else if (hasBrokerCode(error, illegalGeneration)) this.#generation = -1
        else this.#failed(error)
        if (this.#failedPlans >= failedPlansMax) await this.#resign()
        await this.#clock.sleep(retryPolicy.pauseMs(), this.#leaving.signal)
      }
    }
  }

  async #joinOnce(): Promise<void> {
    const { group, protocols, sessionTimeoutMs, rebalanceTimeoutMs } = this.#options
    const offers = protocols.map((name) => ({ name, metadata: this.#events.report(name) }))
    const request = { group, memberId: this.#memberId, protocols: offers, sessionTimeoutMs, rebalanceTimeoutMs }
    const askedAtMs = this.#clock.nowMs()
    const joined = await joinGroup(this.#client, request, (memberId) => {
      if (!this.#hasLeft()) this.#memberId = memberId
      else void leaveGroup(this.#client, group, memberId).catch(() => {})
    })
    if (this.#hasLeft()) return
    this.#generation = joined.generation
    const isLeader = joined.leaderId === joined.memberId
    const assignments = isLeader ? this.#assign(joined, this.#clock.nowMs() - askedAtMs) : new Map<string, Buffer>()
    const sentAtMs = this.#clock.nowMs()
    const identity = { group, memberId: joined.memberId, generation: joined.generation }
    const answered = new AbortController()
    const awaited = {
      leaderId: joined.leaderId,
      sessionTimeoutMs,
      over: AbortSignal.any([answered.signal, this.#leaving.signal]),
    }
    if (!isLeader) void removeSilentLeader(awaited, this.#clock, (memberId) => this.expel(memberId))
    const bytes = await syncGroup(this.#client, identity, assignments, rebalanceTimeoutMs).finally(() =>
      answered.abort(),
    )
    if (this.#hasLeft()) return
    this.#state = 'stable'
    const { generation, memberId, leaderId, protocol } = joined
    this.#events.answered(sentAtMs, generation)
    if (isDebug()) {
      const message = 'Group {group}: member {memberId} of generation {generation}, leader: {isLeader}'
      log.debug(message, { group, memberId, generation, isLeader })
    }
    this.#events.assigned({ generation, memberId, leaderId, isLeader, protocol, bytes })
  }

  #assign(joined: JoinResult, waitedMs: number): ReadonlyMap<string, Buffer> {
    try {
      const assignments = this.#events.assign(joined.members, joined, waitedMs)
      this.#failedPlans = 0
      return assignments
    } catch (cause) {
      // A member that is alone has no other one to lead.
      if (joined.members.length > 1) this.#failedPlans++
      const message = `Assigning the partitions of group ${this.#options.group}: ${messageOf(cause)}`
      throw new LatchkeyError('internal', message, { cause })
    }
  }

  /** Leaves and joins as a new member: the coordinator makes another one the leader meanwhile. */
  async #resign(): Promise<void> {
    const { group } = this.#options
    const memberId = this.#memberId
    this.#failedPlans = 0
    this.#memberId = ''
    this.#generation = -1
    log.warn('Group {group}: member {memberId} cannot plan, leaving so that another one leads', { group, memberId })
    this.#events.resigned()
    await leaveGroup(this.#client, group, memberId).catch((error: unknown) => this.#failed(error))
  }

  async #beat(): Promise<void> {
    const operation = Symbol('heartbeat')
    while (!this.#hasLeft()) {
      await this.#pace.due()
      const { identity } = this
      if (identity === undefined) continue
      const sentAtMs = this.#clock.nowMs()
      try {
        await heartbeat(this.#client, identity)
        this.#client.health.succeeded(operation)
        this.#events.answered(sentAtMs, identity.generation)
      } catch (error) {
        if (this.#hasLeft()) return
        if (hasBrokerCode(error, rebalanceInProgress)) this.#events.answered(sentAtMs, identity.generation)
        if (hasBrokerCode(error, rebalanceInProgress, unknownMember, illegalGeneration)) this.#refused(identity, error)
        else if (error instanceof LatchkeyError) this.#client.health.failed(error, { operation })
        else throw error
      }
    }
    this.#client.health.over(operation)
  }

  /** The answer to a heartbeat says that this member has to join. An answer about a former generation says nothing. */
  #refused({ memberId, generation }: GroupIdentity, error: unknown): void {
    const isCurrent = memberId === this.#memberId && generation === this.#generation
    if (!isCurrent || this.#state !== 'stable') return
    if (hasBrokerCode(error, unknownMember)) this.#forget()
    this.#wanted.resolve()
  }

  #forget(): void {
    const wasMember = this.#generation >= 0
    const { group } = this.#options
    if (wasMember) {
      log.warn('Group {group}: removed as member {memberId}, joining again', { group, memberId: this.#memberId })
    }
    this.#memberId = ''
    this.#generation = -1
    if (wasMember) this.#events.removed()
  }

  #failed(error: unknown): void {
    if (!(error instanceof LatchkeyError)) throw error
    this.#client.health.failed(error, { operation: this.#operation })
  }

  /** A method, because the state changes while the loops wait. */
  #hasLeft(): boolean {
    return this.#state === 'left'
  }
}
