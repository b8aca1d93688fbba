/** Routing of one thread that reads: lookups go to the instance that has the partition. */
import type { GroupView } from '../group-protocol/group-view.ts'
import { FeedAnswers } from './feeds/feed-answers.ts'
import type { FeedLimits } from './feeds/group-feed.ts'
import { GroupFeeds } from './feeds/group-feeds.ts'
import { Forwarder } from './forward.ts'
import type { ForwardCounts } from './forwarded-lookup.ts'
import { GroupReads } from './group-reads.ts'
import { GroupRequests } from './group-requests.ts'
import { HopKey } from './hop.ts'
import type { PeerTls } from './peer-connection.ts'
import { Peers } from './peers.ts'
import { Reachability } from './reachability.ts'
import { RouteTable } from './route-table.ts'
import { type RoutableStore, RoutedStore, type RoutingMode } from './routed-store.ts'

export type { GroupRequests } from './group-requests.ts'
export type { HopKind } from './hop.ts'
export { wireType } from './exchange.ts'
export { PeerWatch, type PeerState } from './reachability.ts'
export type { RoutedStore, RoutingMode } from './routed-store.ts'

/** How often what changes without a message is compared with the last decisions: which copies are ready, for one. */
const rolesMs = 250

export interface RoutingOptions {
  /** Signs requests between instances; undefined if none is required. */
  token: string | undefined
  mode: RoutingMode
  tls?: PeerTls | undefined
  counts?: ForwardCounts | undefined
  /** As ForwarderOptions.roundsMs. */
  roundsMs?: number | undefined
  /** As GroupRequestsOptions.answerBytes. */
  answerBytes?: number | undefined
  readonly feeds?: FeedLimits | undefined
  /** A member has answered at its URL. */
  reached?(memberId: string, url: string): void
  /** A connection to a member was refused. */
  suspect?(memberId: string): void
}

export class Routing<S extends RoutableStore> {
  readonly table: RouteTable
  readonly peers: Peers
  readonly forwarder: Forwarder
  /** In front of the store of this instance. */
  readonly store: RoutedStore<S>
  /** What others ask. */
  readonly requests: GroupRequests
  /** Feeds that others follow here. */
  readonly feedAnswers: FeedAnswers
  /** Absent with ROUTING=none. */
  readonly #feeds: GroupFeeds | undefined
  readonly #local: S
  readonly #key: HopKey
  readonly #timer: Timer
  #roles = ''
  #generation = -1

  constructor(store: S, options: RoutingOptions) {
    const { token, mode, tls, counts, roundsMs, answerBytes, feeds, reached, suspect } = options
    this.#local = store
    this.#key = new HopKey(store.id, token)
    this.table = new RouteTable({
      get partitionCount() {
        return store.copies.partitionCount
      },
      own: (partition) => store.copies.of(partition),
      hasStrangers: (partition) => store.copies.hasStrangers(partition),
      isCurrent: (generation) => store.copies.isCurrent(generation),
      isDown: (memberId) => this.peers.of(memberId)?.breaker.down !== undefined,
    })
    this.peers = new Peers({
      storeId: store.id,
      key: this.#key,
      tls,
      partitionCount: () => store.copies.partitionCount,
      changed: () => this.table.refresh(),
      ...(reached && { reached }),
      ...(suspect && { suspect }),
    })
    this.forwarder = new Forwarder({ store, table: this.table, peers: this.peers, counts, roundsMs })
    const group = mode === 'none' ? undefined : new GroupReads(store, this.table, this.peers, counts)
    this.#feeds = group && new GroupFeeds(store, group.asker, this.peers, feeds)
    this.store = new RoutedStore(store, this.table, this.forwarder, group, this.#feeds)
    this.feedAnswers = new FeedAnswers(store, feeds?.expiryMs)
    const reachability = new Reachability(this.peers)
    const reaches = (memberId: string) => reachability.reaches(memberId)
    this.requests = new GroupRequests({ store, feeds: this.feedAnswers, key: this.#key, reaches, answerBytes })
    store.copies.onRoles(() => this.#compareRoles())
    this.#timer = setInterval(() => this.#compareRoles(), rolesMs)
    this.#timer.unref()
  }

  /**
   * Follows a plan of the group. Reports of the group are about more than plans, so this may be none, or the one of before.
   * @returns whether the plan is new
   */
  setGroup(view: GroupView | undefined): boolean {
    if (view === undefined || view.generation === this.#generation) return false
    this.#generation = view.generation
    this.peers.setGroup(view)
    this.requests.setGroup(view)
    this.table.setGroup(view)
    this.#feeds?.routesChanged()
    return true
  }

  replaceToken(token: string): void {
    this.#key.replace(token)
  }

  close(): void {
    clearInterval(this.#timer)
    this.feedAnswers.close()
    this.forwarder.close()
    this.peers.close()
  }

  #compareRoles(): void {
    const { copies } = this.#local
    let roles = ''
    for (let partition = 0; partition < copies.partitionCount; partition++) {
      const role = copies.roleOf(partition)
      roles += role < 0 ? '-' : role === 1 && !copies.of(partition).isReady ? 'f' : String(role)
      if (copies.hasStrangers(partition)) roles += 's'
    }
    if (roles === this.#roles) return
    this.#roles = roles
    this.table.refresh()
    this.#feeds?.routesChanged()
  }
}
