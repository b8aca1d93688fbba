/**
 * Whether members are reached at the URLs that the group has for them. Each instance asks the others whether they reach
 * it: nothing else shows that its ADVERTISED_URL is wrong, or leads to a load balancer.
 */
import type { Reached, Result } from './operations.ts'
import { isFault } from './peer-fault.ts'
import type { Peer } from './peer.ts'
import type { Peers } from './peers.ts'

const tryMsMax = 1_500
/** How long what was found out counts for others who ask. */
const keptMs = 1_000
const tickMs = 250
/** Pause between two questions to one member; longer in larger groups. */
const pauseMs = 2_000
const membersOfPause = 16
/** So many statements in a row say that this instance is not reached: one may be a chance of a busy moment. */
const statementsMin = 2

interface Tried {
  readonly at: number
  readonly result: Promise<Result>
}

/** Answers whether members are reached, for one thread. Tries only URLs of the group, and each at most once a second. */
export class Reachability {
  readonly #peers: Peers
  readonly #tried = new Map<string, Tried>()

  constructor(peers: Peers) {
    this.#peers = peers
  }

  reaches(memberId: string): Promise<Result> {
    const peer = this.#peers.of(memberId)
    if (peer === undefined) return Promise.resolve({ type: 'reached', isReached: null, said: '' })
    const now = performance.now()
    const known = this.#tried.get(memberId)
    if (known !== undefined && now - known.at < keptMs) return known.result
    for (const [tried, { at }] of this.#tried) if (now - at >= keptMs) this.#tried.delete(tried)
    const result = tryOnce(peer)
    this.#tried.set(memberId, { at: now, result })
    return result
  }
}

async function tryOnce(peer: Peer): Promise<Result> {
  const results = await peer.check(tryMsMax)
  if (!isFault(results)) return { type: 'reached', isReached: true, said: '' }
  // It answers, or was not asked at all.
  const isUnknown = results.kind === 'joining' || results.kind === 'busy'
  return { type: 'reached', isReached: isUnknown ? null : false, said: isUnknown ? '' : results.said }
}

/** Whether this instance reaches a member. */
export interface PeerState {
  /** Null if that is not known yet. */
  readonly isReachable: boolean | null
  readonly reason?: string
}

interface WatchedPeer {
  state: PeerState
  /** What it says about this instance: statements that it is not reached, in a row; -1 once it is. */
  denials: number
  said: string
  nextAt: number
  isAsked: boolean
}

/** Asks all members in turn. For the main thread. */
export class PeerWatch {
  readonly #peers: Peers
  readonly #reachable: (state: PeerState) => void
  readonly #watched = new Map<Peer, WatchedPeer>()
  #last = 'null'
  /** Absent without others. */
  #timer: Timer | undefined

  /** @param reachable called when it has changed whether this instance is reached at its URL; null if not known */
  constructor(peers: Peers, reachable: (state: PeerState) => void) {
    this.#peers = peers
    this.#reachable = reachable
    this.#start()
  }

  /** By member id. */
  get states(): ReadonlyMap<string, PeerState> {
    return new Map([...this.#watched].map(([peer, { state }]) => [peer.member.memberId, state]))
  }

  /** Members have come or gone. */
  groupChanged(): void {
    this.#start()
    this.#tick(performance.now())
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #start(): void {
    this.#timer ??= setInterval(() => this.#tick(performance.now()), tickMs)
    this.#timer.unref()
  }

  #tick(now: number): void {
    const peers = new Set(this.#peers.all)
    for (const peer of this.#watched.keys()) if (!peers.has(peer)) this.#watched.delete(peer)
    for (const peer of peers) {
      if (!this.#watched.has(peer)) this.#watched.set(peer, newWatchedPeer())
      const watched = this.#watched.get(peer)!
      if (!watched.isAsked && now >= watched.nextAt) void this.#ask(peer, watched)
    }
    this.#conclude()
    if (peers.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  async #ask(peer: Peer, watched: WatchedPeer): Promise<void> {
    const askedAt = performance.now()
    watched.isAsked = true
    const results = await peer.probe(2 * tryMsMax)
    watched.isAsked = false
    if (!isFault(results)) {
      watched.state = { isReachable: true }
      const [result] = results
      if (result?.type === 'reached') this.#heard(watched, result)
    } else if (results.kind !== 'joining' && results.kind !== 'busy') {
      watched.state = { isReachable: false, reason: results.said }
    }
    watched.nextAt = this.#nextAt(watched, askedAt)
    this.#conclude()
  }

  #heard(watched: WatchedPeer, { isReached, said }: Reached): void {
    if (isReached) watched.denials = -1
    else if (isReached === false) watched.denials = Math.max(watched.denials, 0) + 1
    watched.said = said
  }

  /** What is not known is asked for often. A statement is asked for again once a member tries again. */
  #nextAt({ denials, state }: WatchedPeer, askedAt: number): number {
    if (denials > 0 && denials < statementsMin) return askedAt + keptMs
    if (denials === 0 || !state.isReachable) return performance.now() + tickMs
    return performance.now() + pauseMs * Math.max(1, this.#watched.size / membersOfPause)
  }

  #conclude(): void {
    const all = [...this.#watched.values()]
    const denied = [...this.#watched].find(([, { denials }]) => denials >= statementsMin)
    let state: PeerState = { isReachable: null }
    if (all.some(({ denials }) => denials < 0)) state = { isReachable: true }
    else if (denied !== undefined) {
      const [{ member }, { said }] = denied
      state = {
        isReachable: false,
        reason: `${member.url} does not reach this instance at ${this.#peers.ownUrl}: ${said}`,
      }
    }
    const text = JSON.stringify(state.isReachable) + (state.reason ?? '')
    if (text === this.#last) return
    this.#last = text
    this.#reachable(state)
  }
}

function newWatchedPeer(): WatchedPeer {
  return { state: { isReachable: null }, denials: 0, said: '', nextAt: 0, isAsked: false }
}
