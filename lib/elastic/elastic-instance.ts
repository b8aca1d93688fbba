/**
 * An instance of a group in the main thread: it starts the group thread, gives the store the roles that plans want, and
 * passes on to everybody who reads the store what the group says.
 */
import { randomBytes } from 'node:crypto'
import { LatchkeyError } from '../errors.ts'
import { GroupNotice } from '../group-protocol/group-notice.ts'
import type { GroupState } from '../group-protocol/group-status.ts'
import { loggerOf } from '../log/index.ts'
import type { AdvertisedPlace, FromGroupThread, ToGroupThread } from '../store-protocol/group-messages.ts'
import type { WantedRoles } from '../store-protocol/roles.ts'
import type { FromThread } from '../store-protocol/thread-messages.ts'
import type { StoreAccess } from '../store/store-port.ts'
import type { Store } from '../store/store.ts'
import type { ElasticEvents, ElasticOptions, PassedToGroup } from './elastic-options.ts'
import { FormerClaims } from './former-claims.ts'
import { GroupConditions } from './group-conditions.ts'
import { GroupLog } from './group-log.ts'
import { type GroupPort, openGroupPort } from './group-port.ts'
import { GroupReports } from './group-reports.ts'
import type { PlanMessage, ReachedState, UnreadMessage } from './group-status-of.ts'
import { HandoverLog } from './handover-log.ts'
import { keptRoles, rolesOfLeft, rolesOfRemoved, wantedRoles } from './wanted-roles.ts'

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
  /** The present plan cannot be read: the last one stays. */
  #unread: UnreadMessage | undefined
  /** Since the last plan, others may have had what this instance is primary of. */
  #isDoubted = false
  #partitionCount = 0
  readonly #reports = new GroupReports()
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
    const { config, logging, standbys, routing } = this.#options
    this.#store = store
    this.#events = events
    const start = { store: config, id: this.#id, place, token, standbys, routing }
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

  /** What a member does, and what was changed, for the group thread. */
  post(message: PassedToGroup): void {
    this.#port?.post(message)
  }

  /** Whether the others reach this instance. */
  setReachable(reachable: ReachedState): void {
    this.#reachable = reachable
    if (this.#state !== 'leaving') this.#log.reached(reachable)
    if (reachable.isReachable !== null) this.#port?.post({ type: 'reachable', isReachable: reachable.isReachable })
    this.#report()
  }

  #observed(message: FromThread): void {
    if (message.type === 'opened') {
      const { stats, layout, partitionCount } = message
      this.#partitionCount = Math.max(this.#partitionCount, partitionCount)
      this.#send({ type: 'store', stats, layout, partitionCount })
      // A thread that has started meanwhile knows no wishes yet.
      if (this.#wanted !== undefined) this.#store?.want(this.#wanted)
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
        if (this.#isDoubted) this.#demoteAll()
        this.#isDoubted = false
        this.#unread = undefined
        if (this.#state !== 'leaving') this.#state = 'stable'
        this.#want(wantedRoles(message.view, this.#held))
        this.#formerClaims.planned(message.view.generation, this.#held.primaries, this.#wanted!.primaries)
        break
      case 'joining':
        if (this.#state !== 'leaving') this.#state = 'joining'
        break
      case 'unread':
        this.#unread = message
        this.#log.unread(message)
        this.#keep()
        break
      case 'removed':
        this.#demoteAll()
        break
      case 'resigned':
        this.#keep()
        break
      case 'trouble':
        this.#trouble = message.trouble ?? undefined
        break
      case 'left':
        if (this.#wanted !== undefined) this.#want(rolesOfLeft(this.#wanted, this.#planned?.view, this.#held))
        this.#left.resolve()
        break
      case 'failed':
        this.#fail(LatchkeyError.of(message.error))
        break
    }
    this.#report()
  }

  /** What others have is not known. What is primary here stays so: the fence decides who writes. */
  #keep(): void {
    this.#isDoubted = true
    this.#formerClaims.unknown()
    if (this.#wanted !== undefined) this.#want(keptRoles(this.#wanted, this.#held))
  }

  #demoteAll(): void {
    this.#formerClaims.removed(this.#held.primaries)
    this.#want(rolesOfRemoved(this.#held))
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
    const [planned, unread] = [this.#planned, this.#unread]
    this.#handover?.look(planned?.view, this.#held.primaries)
    const trouble = this.#trouble ?? unread?.reason
    const [facts, peers] = [{ name: this.#options.name, state: this.#state, url: this.#url }, this.#events.peers()]
    const now = { stats: this.#store!.stats, partitionCount: this.#partitionCount, reachable: this.#reachable }
    const conditions = this.#conditions.look({ ...now, planned, trouble, unread })
    const report = this.#reports.next({ ...facts, reached: peers, planned, trouble }, conditions)
    if (report !== undefined) this.#events.report(report)
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
