/**
 * An instance of a group in the main thread: it starts the group thread, gives the store the roles that plans want, and
 * passes on to everybody who reads the store what the group says.
 */
import { randomBytes } from 'node:crypto'
import { LatchkeyError } from '../errors.ts'
import { GroupNotice } from '../group-protocol/group-notice.ts'
import type { GroupState } from '../group-protocol/group-status.ts'
import { loggerOf, type LogLevel } from '../log/index.ts'
import type { AdvertisedPlace, FromGroupThread, ToGroupThread } from '../store-protocol/group-messages.ts'
import type { WantedRoles } from '../store-protocol/roles.ts'
import type { FromThread } from '../store-protocol/thread-messages.ts'
import type { StoreAccess } from '../store/store-port.ts'
import type { Store } from '../store/store.ts'
import type { ElasticEvents, ElasticOptions } from './elastic-options.ts'
import { FormerClaims } from './former-claims.ts'
import { GroupConditions } from './group-conditions.ts'
import { GroupLog } from './group-log.ts'
import { type GroupPort, openGroupPort } from './group-port.ts'
import { groupStatusOf, type PlanMessage, type ReachedState } from './group-status-of.ts'
import { HandoverLog } from './handover-log.ts'
import { rolesOfRemoved, wantedRoles } from './wanted-roles.ts'

const log = loggerOf('group')

const lookIntervalMs = 250
/** Beyond HANDOVER_SECONDS, for the answers of Kafka. */
const leaveMs = 5_000

/** Returns the memory in which the threads of a store share what the group thread says. */
export function groupNoticeFor(sessionTimeoutMs: number): SharedArrayBuffer {
  return GroupNotice.buffer(sessionTimeoutMs)
}

export class ElasticInstance {
  readonly #options: ElasticOptions
  readonly #id = randomBytes(12).toString('base64url')
  readonly #conditions: GroupConditions
  readonly #log: GroupLog
  /** Store threads that are open, for a group thread that starts later. */
  readonly #opened: ToGroupThread[] = []
  readonly #left = Promise.withResolvers<void>()
  #store: Store | undefined
  #events: ElasticEvents | undefined
  #port: GroupPort | undefined
  #state: GroupState = 'joining'
  #url = ''
  #planned: PlanMessage | undefined
  #wanted: WantedRoles | undefined
  readonly #formerClaims = new FormerClaims((generation) => this.#port?.post({ type: 'agreed', generation }))
  #trouble: string | undefined
  #partitionCount = 0
  #reported = ''
  #reportedPlan: PlanMessage | undefined
  #timer: ReturnType<typeof setInterval> | undefined
  #reachable: ReachedState = { isReachable: null }
  #handover: HandoverLog | undefined

  constructor(options: ElasticOptions) {
    this.#options = options
    this.#conditions = new GroupConditions(options.config.readyWhen === 'caught-up')
    this.#log = new GroupLog(options.name)
  }

  /** Identity of this life of the instance. */
  get id(): string {
    return this.#id
  }

  /** Returns the same access, which this instance observes: the group has to know what store threads hold. */
  observe(access: StoreAccess): StoreAccess {
    return {
      readerThread: access.readerThread,
      open: (config, logging, events) =>
        access.open(config, logging, {
          ...events,
          received: (message) => {
            events.received(message)
            this.#observed(message)
          },
        }),
    }
  }

  /**
   * Joins the group as soon as the store has laid out its memory.
   * @param place where the others reach this instance
   * @param token with which members sign what they say; undefined if none is required
   */
  begin(store: Store, place: AdvertisedPlace, token: string | undefined, events: ElasticEvents): void {
    const { config, logging, standbys } = this.#options
    this.#store = store
    this.#events = events
    const start = { store: config, id: this.#id, place, token, standbys }
    this.#port = openGroupPort(start, logging, {
      received: (message) => this.#received(message),
      ended: (message) => this.#ended(`The group thread ended: ${message}`),
    })
    for (const message of this.#opened) this.#port.post(message)
    this.#timer = setInterval(() => this.#report(), lookIntervalMs)
    this.#report()
  }

  /** Hands over what this instance holds, within a bound, and leaves the group. Never rejects. */
  async leave(handoverSeconds: number): Promise<void> {
    if (this.#port === undefined || this.#state === 'left') return
    this.#state = 'leaving'
    const handover = new HandoverLog(this.#planned?.view, this.#held.primaries, handoverSeconds)
    this.#handover = handover
    this.#report()
    this.#port.post({ type: 'leave', handoverSeconds })
    const bound = setTimeout(() => this.#left.resolve(), handoverSeconds * 1_000 + leaveMs)
    await this.#left.promise
    clearTimeout(bound)
    this.#handover = undefined
    handover.ended(this.#planned?.view, this.#held.primaries)
    this.#state = 'left'
    clearInterval(this.#timer)
    this.#report()
    this.#port.terminate()
  }

  /** A member refuses connections. */
  suspect(memberId: string): void {
    this.#port?.post({ type: 'suspect', memberId })
  }

  /** A member has answered at a URL, and said that it is this one. */
  memberReached(memberId: string, url: string): void {
    this.#port?.post({ type: 'reached', memberId, url })
  }

  /** Whether the others reach this instance. */
  setReachable(reachable: ReachedState): void {
    this.#reachable = reachable
    if (this.#state !== 'leaving') this.#log.reached(reachable)
    if (reachable.isReachable !== null) this.#port?.post({ type: 'reachable', isReachable: reachable.isReachable })
    this.#report()
  }

  setLogLevel(level: LogLevel): void {
    this.#port?.post({ type: 'log-level', level })
  }

  #observed(message: FromThread): void {
    if (message.type === 'opened') {
      const { stats, layout, partitionCount } = message
      this.#partitionCount = Math.max(this.#partitionCount, partitionCount)
      this.#send({ type: 'store', stats, layout, partitionCount })
      // A thread that has started meanwhile knows no wishes yet.
      if (this.#wanted !== undefined) this.#store?.want(this.#wanted)
    } else if (message.type === 'grown') {
      this.#partitionCount = Math.max(this.#partitionCount, message.partitionCount)
      this.#send({ type: 'grown', partitionCount: message.partitionCount })
    } else if (message.type === 'roles') {
      this.#formerClaims.gaveUp(message.replicas)
      this.#report()
    }
  }

  #send(message: ToGroupThread): void {
    if (this.#port === undefined) this.#opened.push(message)
    else this.#port.post(message)
  }

  #received(message: FromGroupThread): void {
    switch (message.type) {
      case 'url':
        this.#url = message.url
        break
      case 'plan':
        this.#planned = message
        this.#log.planned(message)
        if (this.#state !== 'leaving') this.#state = 'stable'
        this.#want(wantedRoles(message.view, this.#held))
        this.#formerClaims.planned(message.view.generation, this.#held.primaries, this.#wanted!.primaries)
        break
      case 'joining':
        if (this.#state !== 'leaving') this.#state = 'joining'
        break
      case 'removed':
        this.#formerClaims.removed(this.#held.primaries)
        this.#want(rolesOfRemoved(this.#held))
        break
      case 'resigned':
        if (this.#wanted !== undefined) this.#want({ ...this.#wanted, member: null })
        break
      case 'trouble':
        this.#trouble = message.trouble ?? undefined
        break
      case 'left':
        if (this.#wanted !== undefined) this.#want({ ...this.#wanted, member: null })
        this.#left.resolve()
        break
      case 'failed':
        this.#fail(LatchkeyError.of(message.error))
        break
    }
    this.#report()
  }

  #want(wanted: WantedRoles): void {
    this.#wanted = wanted
    this.#store!.want(wanted)
  }

  get #held(): { primaries: number[]; replicas: number[] } {
    const { stats } = this.#store!
    const heldAs = (role: number) => stats.partitions.filter((partition) => stats.gauge(partition, 'role') === role)
    return { primaries: heldAs(0), replicas: heldAs(1) }
  }

  #report(): void {
    if (this.#events === undefined) return
    const [planned, trouble] = [this.#planned, this.#trouble]
    this.#handover?.look(planned?.view, this.#held.primaries)
    const facts = { name: this.#options.name, state: this.#state, url: this.#url, reached: this.#events.peers() }
    const now = { stats: this.#store!.stats, partitionCount: this.#partitionCount, reachable: this.#reachable }
    const conditions = this.#conditions.look({ ...now, planned, trouble })
    // All that a report is made of. A plan is compared by identity: the group may have thousands of partitions.
    const text = JSON.stringify([facts.state, facts.url, [...facts.reached], trouble, conditions])
    if (planned === this.#reportedPlan && text === this.#reported) return
    this.#reported = text
    this.#reportedPlan = planned
    const status = groupStatusOf({ ...facts, planned, trouble })
    this.#events.report({ ...(planned && { view: planned.view }), status, conditions })
  }

  #ended(message: string): void {
    this.#left.resolve()
    if (this.#state !== 'left') this.#fail(new LatchkeyError('internal', message))
  }

  #fail(error: LatchkeyError): void {
    this.#left.resolve()
    log.error('{error}', { error: error.message })
    this.#events?.failed(error)
  }
}
