/** The other members of the group, as one thread asks them. Follows the plan: members come and go. */
import type { GroupView } from '../group-protocol/group-view.ts'
import { unreachable } from './exchange.ts'
import type { PeerReadOptions } from './group-asker.ts'
import type { HopKey } from './hop.ts'
import type { PeerOperation, Result } from './operations.ts'
import { addressOf } from './peer-address.ts'
import type { PeerTls } from './peer-connection.ts'
import { isFault, type PeerFault } from './peer-fault.ts'
import { Peer } from './peer.ts'
import { ResponseBudget } from './response-reader.ts'
import { Ticker } from './ticker.ts'

const hasLeft: PeerFault = { kind: 'unreachable', said: 'it has left the group' }

export interface PeersOptions {
  readonly storeId: string
  readonly key: HopKey
  readonly tls?: PeerTls | undefined
  /** Of the source, as this instance knows it. */
  partitionCount(): number
  /** A peer is down, or up again. */
  changed?(): void
  /** A member has answered at its URL, as itself, for the first time. */
  reached?(memberId: string, url: string): void
  /** A connection was refused: the process of the member may have ended. */
  suspect?(memberId: string): void
}

export class Peers {
  readonly #options: PeersOptions
  readonly #budget = new ResponseBudget()
  readonly #peers = new Map<string, Peer>()
  readonly #ticker: Ticker
  #view: GroupView | undefined

  constructor(options: PeersOptions) {
    this.#options = options
    this.#ticker = new Ticker((now) => this.#tick(now))
  }

  get all(): Iterable<Peer> {
    return this.#peers.values()
  }

  /** URL of this instance, as the group has it; empty before it has. */
  get ownUrl(): string {
    const { plan, memberId: own } = this.#view ?? {}
    return plan?.members.find(({ memberId }) => memberId === own)?.url ?? ''
  }

  /** Undefined for this instance, and for who is not a member. */
  of(memberId: string): Peer | undefined {
    return this.#peers.get(memberId)
  }

  /** Follows a plan. */
  setGroup(view: GroupView): void {
    this.#view = view
    const members = view.plan.members.filter(({ memberId }) => memberId !== view.memberId)
    const isMember = (peer: Peer) =>
      members.some(({ memberId, url }) => memberId === peer.member.memberId && url === peer.member.url)
    for (const [memberId, peer] of this.#peers) {
      if (isMember(peer)) continue
      this.#peers.delete(memberId)
      peer.close()
    }
    for (const member of members) {
      const address = addressOf(member.url)
      if (address === undefined || this.#peers.has(member.memberId)) continue
      const { storeId, key, tls = {} } = this.#options
      const peer: Peer = new Peer(member, address, {
        storeId,
        key,
        tls,
        budget: this.#budget,
        from: () => this.#from(),
        changed: () => this.#options.changed?.(),
        begun: () => this.#ticker.start(),
        refused: () => this.#options.suspect?.(member.memberId),
        reached: () => this.#options.reached?.(member.memberId, member.url),
      })
      this.#peers.set(member.memberId, peer)
    }
  }

  /**
   * Sends a request of its own, which is not put together with others.
   * @returns one result for each operation
   * @throws LatchkeyError owner_unreachable, as a rejection
   */
  async read(
    memberId: string,
    operations: readonly PeerOperation[],
    { timeoutMs, attempted }: PeerReadOptions,
  ): Promise<readonly Result[]> {
    const peer = this.#peers.get(memberId)
    if (peer === undefined) throw unreachable(attempted, '(unknown)', hasLeft)
    const results = await peer.ask(operations, timeoutMs)
    if (isFault(results)) throw unreachable(attempted, peer.member.url, results)
    return results
  }

  close(): void {
    this.#ticker.stop()
    for (const peer of this.#peers.values()) peer.close()
    this.#peers.clear()
  }

  #from() {
    const { memberId = '', generation = -1 } = this.#view ?? {}
    return { memberId, generation, partitionCount: this.#options.partitionCount() }
  }

  /** @returns whether to go on */
  #tick(now: number): boolean {
    let isBusy = false
    for (const peer of this.#peers.values()) {
      peer.tick(now)
      const { isDoubtful } = peer.breaker
      if (isDoubtful && !peer.isAsked && peer.breaker.mayTry(now)) void peer.check()
      isBusy ||= !peer.isIdle || isDoubtful
    }
    return isBusy
  }
}
