/**
 * Another instance, as one thread asks it. Lookups that come within one turn of the event loop, or while all connections
 * are in use, travel in one request. Everything that waits has a bound: number, bytes and time.
 */
import type { PlannedMember } from '../group-protocol/member.ts'
import { Breaker } from './breaker.ts'
import { decodeAnswer, encodeRequest, type PeerRequest, type Recipient, type Results } from './exchange.ts'
import { FeedLink } from './feeds/feed-link.ts'
import type { HopKind } from './hop.ts'
import { LookupQueue, type WaitingLookup } from './lookup-queue.ts'
import type { PeerOperation, Result } from './operations.ts'
import type { PeerAddress } from './peer-address.ts'
import { PeerConnection } from './peer-connection.ts'
import type { PeerContext } from './peer-context.ts'
import { isFault, type PeerFault } from './peer-fault.ts'

const connectionsMax = 8
const plainRequestsMax = 4
const heldRequestsMax = 3
const requestsWaitingMax = 256
const answerMsMax = 2_000
/** Less than servers keep connections. */
const idleMsMax = 4_000

/** Who asks for a key. */
export interface LookupAsker extends WaitingLookup {
  readonly maxLag: number | undefined
  answered(peer: Peer, outcome: Result | PeerFault): void
}

interface WaitingRequest {
  readonly kind: HopKind
  readonly operations: readonly PeerOperation[]
  readonly endsAt: number
  readonly done: (results: Results | PeerFault) => void
}

export class Peer {
  readonly member: PlannedMember
  readonly #address: PeerAddress
  readonly #context: PeerContext
  readonly #recipient: Recipient
  /** Feeds that it serves for this thread. */
  readonly feeds: FeedLink
  readonly breaker = new Breaker()
  readonly #connections = new Set<PeerConnection>()
  readonly #plain = new LookupQueue<LookupAsker>(plainRequestsMax)
  /** Of lookups with `max-lag`, which a peer may hold for a second: others do not wait for their answers. */
  readonly #held = new LookupQueue<LookupAsker>(heldRequestsMax)
  readonly #lookups = [this.#plain, this.#held]
  #isPumpPlanned = false
  readonly #requests: WaitingRequest[] = []
  /** When each request in progress was sent, in that order. */
  readonly #sent = new Set<{ readonly at: number }>()
  /** It has answered as the member that it is. */
  #isReached = false
  #isClosed = false

  constructor(member: PlannedMember, address: PeerAddress, context: PeerContext) {
    this.member = member
    this.#address = address
    this.#context = context
    const { storeId, key } = context
    this.#recipient = { memberId: member.memberId, storeId, address, key, from: () => context.from() }
    this.feeds = new FeedLink(this.#recipient, context)
  }

  get isIdle(): boolean {
    return this.#connections.size === 0 && !this.#isWaitedFor
  }

  /** An answer of it is waited for. */
  get isAsked(): boolean {
    return this.#sent.size > 0 || this.#isWaitedFor
  }

  get #isWaitedFor(): boolean {
    return this.#requests.length > 0 || this.#lookups.some(({ isEmpty }) => !isEmpty)
  }

  /** Asks for a key, together with others. `asker` gets the outcome later. */
  get(asker: LookupAsker): void {
    const lookups = asker.maxLag === undefined ? this.#plain : this.#held
    const fault = this.#refuse(lookups.isFull(asker.key.length))
    if (fault !== undefined) return queueMicrotask(() => asker.answered(this, fault))
    lookups.add(asker)
    this.#context.begun()
    if (this.#isPumpPlanned) return
    this.#isPumpPlanned = true
    setImmediate(() => {
      this.#isPumpPlanned = false
      this.#pump()
    })
  }

  /** Sends a request of its own. */
  ask(operations: readonly PeerOperation[], waitMsMax: number): Promise<Results | PeerFault> {
    return this.#ask('read', operations, waitMsMax, this.#refuse(this.#requests.length >= requestsWaitingMax))
  }

  /** Finds out whether it answers, also while it is down. */
  check(waitMsMax = answerMsMax): Promise<Results | PeerFault> {
    return this.#ask('read', [], waitMsMax)
  }

  /** Asks whether it reaches this instance. */
  probe(waitMsMax = answerMsMax): Promise<Results | PeerFault> {
    return this.#ask('probe', [], waitMsMax)
  }

  #ask(kind: HopKind, operations: readonly PeerOperation[], waitMsMax: number, fault?: PeerFault) {
    const { promise, resolve } = Promise.withResolvers<Results | PeerFault>()
    if (fault !== undefined) resolve(fault)
    else this.#requests.push({ kind, operations, endsAt: performance.now() + waitMsMax, done: resolve })
    this.#context.begun()
    this.#pump()
    return promise
  }

  /** Whether it has said nothing for a while, although it was asked. */
  isSilent(now: number): boolean {
    const [oldest] = this.#sent
    return oldest !== undefined && this.breaker.isSilent(now, oldest.at)
  }

  /** Ends what takes too long. To be called often while the peer is not idle. */
  tick(now: number): void {
    for (const connection of this.#connections) connection.tick(now, idleMsMax)
    for (const lookups of this.#lookups) lookups.tidy()
    while (this.#requests.length > 0 && this.#requests[0]!.endsAt <= now) {
      this.#requests.shift()!.done({ kind: 'busy', said: 'all connections to it were in use for too long' })
    }
  }

  close(): void {
    this.#isClosed = true
    const fault: PeerFault = { kind: 'unreachable', said: 'it has left the group' }
    this.feeds.close(fault)
    for (const connection of this.#connections) connection.close(fault)
    for (const { done } of this.#requests.splice(0)) done(fault)
    for (const lookups of this.#lookups) for (const asker of lookups.takeAll()) asker.answered(this, fault)
  }

  #refuse(isFull: boolean): PeerFault | undefined {
    if (this.#isClosed) return { kind: 'unreachable', said: 'it has left the group' }
    if (isFull) return { kind: 'busy', said: 'too many requests wait for it here' }
    return this.breaker.mayTry(performance.now()) ? undefined : this.breaker.down
  }

  #pump(): void {
    for (const lookups of this.#lookups) {
      while (lookups.maySend) {
        const connection = this.#free()
        if (connection === undefined) return
        this.#sendLookups(connection, lookups)
      }
    }
    while (this.#requests.length > 0) {
      const connection = this.#free()
      if (connection === undefined) return
      const { kind, operations, endsAt, done } = this.#requests.shift()!
      this.#send(connection, { kind, operations, endsAt }, done)
    }
  }

  #free(): PeerConnection | undefined {
    for (const connection of this.#connections) if (connection.isFree) return connection
    return this.#connections.size < connectionsMax ? this.#open() : undefined
  }

  #open(): PeerConnection {
    const { tls, budget } = this.#context
    const connection: PeerConnection = new PeerConnection(this.#address, tls, budget, () => {
      if (connection.isClosed) this.#left(connection)
      this.#pump()
    })
    this.#connections.add(connection)
    return connection
  }

  #left(connection: PeerConnection): void {
    this.#connections.delete(connection)
    if (!connection.isLeft || this.#isClosed) return
    this.breaker.doubt()
    this.#context.begun()
  }

  #sendLookups(connection: PeerConnection, lookups: LookupQueue<LookupAsker>): void {
    const askers = lookups.take()
    if (askers.length === 0) return
    lookups.requests++
    const operations = askers.map(({ key, maxLag }): PeerOperation => ({ type: 'get', key, maxLag }))
    this.#send(connection, { kind: 'read', operations, endsAt: performance.now() + answerMsMax }, (results) => {
      lookups.requests--
      for (const [index, asker] of askers.entries()) {
        const result = isFault(results) ? results : results[index]!
        // The values before it filled the answer.
        if ('type' in result && result.type === 'failed' && result.error.code === 'answer_full') this.get(asker)
        else asker.answered(this, result)
      }
      this.#pump()
    })
  }

  #send(connection: PeerConnection, request: PeerRequest, done: (results: Results | PeerFault) => void): void {
    const { key } = this.#context
    const sent = { at: performance.now() }
    const isKept = connection.isKept
    const { bytes, body } = encodeRequest(this.#recipient, request)
    this.#sent.add(sent)
    connection.send(bytes, request.endsAt, (outcome) => {
      this.#sent.delete(sent)
      if (isKept && isFault(outcome) && outcome.isUnanswered === true && !this.#isClosed) {
        // It has closed a connection that was idle. Requests read only, so they may be sent twice.
        return this.#send(this.#open(), request, done)
      }
      const results = isFault(outcome) ? outcome : decodeAnswer(this.#recipient, body, request, outcome)
      if (isFault(results) && results.isFormer === true && request.token === undefined && key.former !== undefined) {
        return this.#send(this.#free() ?? this.#open(), { ...request, token: key.former }, done)
      }
      this.#note(results, sent.at)
      done(results)
    })
  }

  #note(results: Results | PeerFault, sentAt: number): void {
    const now = performance.now()
    // It lives, and what it says is of the moment.
    if (!isFault(results) || results.kind === 'joining') {
      if (!isFault(results)) this.#reached()
      if (this.breaker.answered(now, now - sentAt)) this.#context.changed()
    } else if (results.kind !== 'busy' && !this.#isClosed) {
      if (this.breaker.failed(now, results)) this.#context.changed()
      if (results.kind === 'refused') this.#context.refused()
    }
  }

  #reached(): void {
    if (this.#isReached) return
    this.#isReached = true
    this.#context.reached()
  }
}
