/**
 * One lookup of a partition that is answered elsewhere: one copy after the other is asked, within a bound of time. A copy
 * that says nothing is not given up: the next one is asked, too, and the first final answer counts.
 */
import { type ErrorCode, LatchkeyError } from '../errors.ts'
import type { ForwardStats } from '../metrics/forward-stats.ts'
import type { Lookup } from '../store-protocol/status.ts'
import { answerGet, type LocalStore } from './answer.ts'
import type { MissedKey } from './key-result.ts'
import type { Result } from './operations.ts'
import { isFault, type PeerFault } from './peer-fault.ts'
import type { LookupAsker, Peer } from './peer.ts'
import type { Peers } from './peers.ts'
import type { RouteTable } from './route-table.ts'

const lookupMsMax = 2_000
/** For so long, copies are asked again: a promotion or another plan may be under way. */
const roundsMsDefault = 1_000
const roundPauseMs = 50

/** Another copy may know more. All other errors are those of the record, or of the partition wherever it is. */
const elsewhereCodes: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'partition_not_held',
  'recovering',
  'replica_recovering',
  'not_ready',
  'stopping',
  'store_failed',
  'readers_exhausted',
  'processing_only',
  'internal',
])

/** As ForwardStats of lib/metrics. */
export type ForwardCounts = Pick<ForwardStats, 'observe' | 'hedged'>

export interface ForwarderOptions {
  readonly store: LocalStore
  readonly table: RouteTable
  readonly peers: Peers
  readonly counts?: ForwardCounts | undefined
  /** Time for which copies are asked again; 1,000 ms by default. */
  readonly roundsMs?: number | undefined
}

export interface Answered {
  lookup: Lookup | undefined
  /** Only without a lookup. */
  missed?: MissedKey
  /** Identity of the instance that has answered; undefined for this one. */
  instance: string | undefined
}

export interface LookupTarget {
  readonly key: Uint8Array
  readonly partition: number
  readonly maxLag: number | undefined
  /** Each copy is asked once, and no more if none of them answers. */
  readonly isOnce?: boolean | undefined
}

type Settle = (outcome: Answered | LatchkeyError) => void

export class ForwardedLookup implements LookupAsker {
  readonly key: Uint8Array
  readonly maxLag: number | undefined
  isSettled = false
  /** A copy has answered, final or not. */
  hasAnswers = false
  readonly #partition: number
  readonly #roundsMs: number
  readonly #options: ForwarderOptions
  readonly #settle: Settle
  readonly #startedAt = performance.now()
  #candidates: readonly string[] = []
  #next = 0
  /** Members that have not answered yet. */
  readonly #asked: string[] = []
  #askedAt = 0
  /** The last one that was asked; undefined for this instance. */
  #last: Peer | undefined
  /** What that one may take. */
  #hedgeMs = 0
  #pausedAt: number | undefined
  /** By member: why it did not answer. */
  #said: Map<string, string> | undefined
  #stale: Answered | undefined

  constructor(options: ForwarderOptions, { key, partition, maxLag, isOnce = false }: LookupTarget, settle: Settle) {
    this.key = key
    this.maxLag = maxLag
    this.#partition = partition
    this.#roundsMs = isOnce ? 0 : (options.roundsMs ?? roundsMsDefault)
    this.#options = options
    this.#settle = settle
  }

  begin(): void {
    this.#pausedAt = undefined
    this.#candidates = this.#options.table.candidates(this.#partition)
    this.#next = 0
    this.#askNext()
  }

  answered(peer: Peer, outcome: Result | PeerFault): void {
    const { memberId, id } = peer.member
    this.#heard(memberId)
    if (!isFault(outcome)) return this.#judge(outcome, memberId, id)
    if (this.isSettled) return
    this.#note(memberId, outcome.said)
    // Others would refuse the name of their URLs, too, and only the operator can change that.
    if (outcome.kind === 'host') this.#end(this.#unreachable())
    else this.#tryNext()
  }

  tick(now: number): void {
    const elapsed = now - this.#startedAt
    if (elapsed >= lookupMsMax) this.#giveUp()
    else if (this.#pausedAt !== undefined) {
      if (now - this.#pausedAt >= roundPauseMs) this.begin()
    } else if (now - this.#askedAt >= this.#hedgeMs) this.#hedge(elapsed)
    // Other lookups have waited for it before this one.
    else if (this.#next < this.#candidates.length && this.#last?.isSilent(now) === true) this.#hedge(elapsed)
  }

  /** Asks the next copy, too; behind the last one, those that have answered are asked again. */
  #hedge(elapsed: number): void {
    if (this.#next < this.#candidates.length) {
      this.#options.counts?.hedged()
      this.#askNext()
    } else if (elapsed < this.#roundsMs && this.#candidates.length > 1) this.begin()
  }

  #askNext(): void {
    const now = performance.now()
    while (this.#next < this.#candidates.length) {
      const memberId = this.#candidates[this.#next++]!
      if (this.#asked.includes(memberId)) continue
      const peer = this.#options.peers.of(memberId)
      this.#askedAt = now
      if (this.#options.table.isSelf(memberId)) return this.#askSelf(memberId)
      // It has left the group since the order was made.
      if (peer === undefined) continue
      this.#asked.push(memberId)
      this.#last = peer
      peer.get(this)
      this.#hedgeMs = peer.breaker.hedgeMs
      if (!peer.isSilent(now)) return
    }
    if (this.#asked.length === 0) this.#roundEnds(now)
  }

  #askSelf(memberId: string): void {
    this.#asked.push(memberId)
    this.#last = undefined
    this.#hedgeMs = Infinity
    const judge = (result: Result) => {
      this.#heard(memberId)
      this.#judge(result, memberId, undefined)
    }
    const result = answerGet(this.#options.store, { type: 'get', key: this.key, maxLag: this.maxLag }, ownCount)
    if (result instanceof Promise) void result.then(judge)
    else judge(result)
  }

  #judge(result: Result, memberId: string, instance: string | undefined): void {
    if (this.isSettled) return
    this.hasAnswers = true
    if (result.type !== 'found' && result.type !== 'missed') {
      const isOther = result.type === 'failed' && !isForElsewhere(result.error)
      if (isOther) return this.#end(result.error)
      this.#note(memberId, result.type === 'failed' ? result.error.title.toLowerCase() : 'another answer')
      return this.#tryNext()
    }
    const answered: Answered =
      result.type === 'found' ? { lookup: result.lookup, instance } : { lookup: undefined, missed: result, instance }
    const lag = result.type === 'found' ? result.lookup.replicaLag : result.lag
    const isFresh = this.maxLag === undefined || lag === undefined || (lag !== null && lag <= this.maxLag)
    if (isFresh) return this.#end(answered)
    this.#stale ??= answered
    this.#note(memberId, 'its copy is too far behind')
    this.#tryNext()
  }

  #tryNext(): void {
    if (this.#next < this.#candidates.length) this.#askNext()
    else if (this.#asked.length === 0) this.#roundEnds(performance.now())
  }

  #heard(memberId: string): void {
    const at = this.#asked.indexOf(memberId)
    if (at >= 0) this.#asked.splice(at, 1)
  }

  #note(memberId: string, said: string): void {
    this.#said ??= new Map()
    this.#said.set(memberId, said)
  }

  #roundEnds(now: number): void {
    if (this.#pausedAt !== undefined || this.isSettled) return
    if (now - this.#startedAt + roundPauseMs >= this.#roundsMs) this.#giveUp()
    else this.#pausedAt = now
  }

  #giveUp(): void {
    this.#end(this.#stale ?? this.#unreachable())
  }

  #end(outcome: Answered | LatchkeyError): void {
    if (this.isSettled) return
    this.isSettled = true
    this.#settle(outcome)
  }

  #unreachable(): LatchkeyError {
    const { store, table } = this.#options
    const partition = this.#partition
    const begun = `${attempted(store.id)}: the key belongs to partition ${partition}`
    if (!table.hasPlan) return new LatchkeyError('recovering', `${begun}, and the group has not assigned it yet`)
    const primary = table.primaryOf(partition)?.memberId
    const tried = this.#candidates.map((memberId) => {
      const { url = '', isSelf = false } = table.members.find((member) => member.memberId === memberId) ?? {}
      const said = this.#said?.get(memberId) ?? 'it did not answer in time'
      return { url, role: memberId === primary ? 'primary' : 'standby', isHere: isSelf, said }
    })
    const details = { partition, tried: tried.map(({ url, role, said }) => ({ url, role, said })) }
    if (tried.length === 0) {
      const message = `${begun}, which no instance of the group holds now. GET /group says why`
      return new LatchkeyError('partition_unassigned', message, { details: { partition } })
    }
    const list = tried.map(({ url, role, isHere, said }) => `${isHere ? 'this instance' : url} (${role}): ${said}`)
    const message = `${begun}, and no instance that holds it has answered: ${list.join('; ')}. Ask again`
    return new LatchkeyError('owner_unreachable', message, { details })
  }
}

/** An own copy and an own question have the same number of partitions. */
const ownCount = { partitionCount: 0 }

export function attempted(storeId: string): string {
  return `Reading store ${storeId}`
}

/** Whether another copy may know more than one that has answered with this error. */
export function isForElsewhere(error: LatchkeyError): boolean {
  return elsewhereCodes.has(error.code)
}
