/**
 * Another instance, as one thread asks it. Lookups that come within one turn of the event loop, or while all connections
 * are in use, travel in one request. Everything that waits has a bound: number, bytes and time.
 */
import type { PlannedMember } from '../group-protocol/member.ts'
import { Breaker } from './breaker.ts'
import { decodeAnswer, encodeRequest, type PeerRequest, type Results } from './exchange.ts'
import type { HopKind } from './hop.ts'
import type { PeerOperation, Result } from './operations.ts'
import type { PeerAddress } from './peer-address.ts'
import { PeerConnection } from './peer-connection.ts'
import type { PeerContext } from './peer-context.ts'
import { isFault, type PeerFault } from './peer-fault.ts'
import { operationsMax } from './wire.ts'

const connectionsMax = 8
/** Requests for lookups in progress. Few, so that more lookups travel in each under load. */
const lookupRequestsMax = 4
const lookupsWaitingMax = 10_000
const lookupBytesMax = 16_777_216
const requestsWaitingMax = 256
/** Of the keys of one request, less than a server takes. */
const requestBytesMax = 524_288
const answerMsMax = 2_000
/** Less than servers keep connections. */
const idleMsMax = 4_000

/** Who asks for a key. */
export interface LookupAsker {
  readonly key: Uint8Array
  readonly maxLag: number | undefined
  /** It does not want an answer any more. */
  readonly isSettled: boolean
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
  readonly breaker = new Breaker()
  readonly #connections = new Set<PeerConnection>()
  #lookups: LookupAsker[] = []
  #lookupBytes = 0
  #isPumpPlanned = false
  #lookupRequests = 0
  readonly #requests: WaitingRequest[] = []
  /** When each request in progress was sent, in that order. */
  readonly #sent = new Set<{ readonly at: number }>()
  #isClosed = false

  constructor(member: PlannedMember, address: PeerAddress, context: PeerContext) {
    this.member = member
    this.#address = address
    this.#context = context
  }

  get isIdle(): boolean {
    return this.#connections.size === 0 && this.#lookups.length === 0 && this.#requests.length === 0
  }

  /** An answer of it is waited for. */
  get isAsked(): boolean {
    return this.#sent.size > 0 || this.#lookups.length > 0 || this.#requests.length > 0
  }

  /** Asks for a key, together with others. `asker` gets the outcome later. */
  get(asker: LookupAsker): void {
    const size = asker.key.length
    const fault = this.#refuse(this.#lookups.length >= lookupsWaitingMax || this.#lookupBytes + size > lookupBytesMax)
    if (fault !== undefined) return queueMicrotask(() => asker.answered(this, fault))
    this.#lookups.push(asker)
    this.#lookupBytes += size
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
    if (this.#lookups.length > 0) {
      this.#lookups = this.#lookups.filter(({ isSettled }) => !isSettled)
      this.#lookupBytes = this.#lookups.reduce((sum, { key }) => sum + key.length, 0)
    }
    while (this.#requests.length > 0 && this.#requests[0]!.endsAt <= now) {
      this.#requests.shift()!.done({ kind: 'busy', said: 'all connections to it were in use for too long' })
    }
  }

  close(): void {
    this.#isClosed = true
    const fault: PeerFault = { kind: 'unreachable', said: 'it has left the group' }
    for (const connection of this.#connections) connection.close(fault)
    for (const { done } of this.#requests.splice(0)) done(fault)
    for (const asker of this.#lookups.splice(0)) asker.answered(this, fault)
  }

  #refuse(isFull: boolean): PeerFault | undefined {
    if (this.#isClosed) return { kind: 'unreachable', said: 'it has left the group' }
    if (isFull) return { kind: 'busy', said: 'too many requests wait for it here' }
    return this.breaker.mayTry(performance.now()) ? undefined : this.breaker.down
  }

  #pump(): void {
    while (this.#lookups.length > 0 && this.#lookupRequests < lookupRequestsMax) {
      const connection = this.#free()
      if (connection === undefined) return
      this.#sendLookups(connection)
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

  #sendLookups(connection: PeerConnection): void {
    let bytes = 0
    let taken = 0
    const askers: LookupAsker[] = []
    for (const asker of this.#lookups) {
      if (askers.length === operationsMax || (askers.length > 0 && bytes + asker.key.length > requestBytesMax)) break
      taken++
      this.#lookupBytes -= asker.key.length
      if (asker.isSettled) continue
      bytes += asker.key.length
      askers.push(asker)
    }
    this.#lookups.splice(0, taken)
    if (askers.length === 0) return
    this.#lookupRequests++
    const operations = askers.map(({ key, maxLag }): PeerOperation => ({ type: 'get', key, maxLag }))
    this.#send(connection, { kind: 'read', operations, endsAt: performance.now() + answerMsMax }, (results) => {
      this.#lookupRequests--
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
    const { key, storeId } = this.#context
    const sent = { at: performance.now() }
    const isKept = connection.isKept
    const { bytes, body } = encodeRequest(
      key,
      this.#address,
      storeId,
      this.member.memberId,
      this.#context.from(),
      request,
    )
    this.#sent.add(sent)
    connection.send(bytes, request.endsAt, (outcome) => {
      this.#sent.delete(sent)
      if (isKept && isFault(outcome) && outcome.isUnanswered === true && !this.#isClosed) {
        // It has closed a connection that was idle. Requests read only, so they may be sent twice.
        return this.#send(this.#open(), request, done)
      }
      const results = isFault(outcome) ? outcome : decodeAnswer(key, this.member.memberId, body, request, outcome)
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
      if (!isFault(results) && !this.breaker.hasAnswered) this.#context.reached()
      if (this.breaker.answered(now, now - sentAt)) this.#context.changed()
    } else if (results.kind !== 'busy' && !this.#isClosed) {
      if (this.breaker.failed(now, results)) this.#context.changed()
      if (results.kind === 'refused') this.#context.refused()
    }
  }
}
