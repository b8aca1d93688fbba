/**
 * The group of a store inside a program. The store joins it when the program serves it: by then the others can reach it,
 * and the token is known with which they sign what they say.
 */
import type { GroupSettings } from '../config/index.ts'
import { ElasticInstance, groupNoticeFor } from '../elastic/elastic-instance.ts'
import { LatchkeyError } from '../errors.ts'
import type { LookupStats } from '../metrics/index.ts'
import { PeerWatch, type RoutedStore, Routing } from '../routing/index.ts'
import type { GroupReport } from '../store-protocol/group-report.ts'
import type { StoreConfig } from '../store-protocol/store-config.ts'
import type { StoreLogging } from '../store-protocol/thread-messages.ts'
import { ownThreads, type StoreAccess } from '../store/store-port.ts'
import type { Store } from '../store/store.ts'
import { clientsConfigOf, groupOf } from '../topics/clients.ts'

export class EmbeddedGroup {
  /** With what the threads of the store share. */
  readonly config: StoreConfig
  readonly #settings: GroupSettings
  readonly #instance: ElasticInstance
  readonly #failure = Promise.withResolvers<LatchkeyError>()
  #routing: Routing<Store> | undefined
  #token: string | undefined
  #watch: PeerWatch | undefined

  constructor(config: StoreConfig, logging: StoreLogging, settings: GroupSettings) {
    const notice = groupNoticeFor(clientsConfigOf(config).consumer.sessionTimeoutMs)
    this.config = { ...config, elastic: { ...config.elastic, notice } }
    this.#settings = settings
    const { standbys, routing } = settings
    this.#instance = new ElasticInstance({ config: this.config, logging, name: groupOf(config), standbys, routing })
  }

  /** Access to the store threads, which the group has to know. */
  get access(): StoreAccess {
    return this.#instance.observe(ownThreads)
  }

  /** Resolves if the membership fails; never rejects. */
  get failed(): Promise<LatchkeyError> {
    return this.#failure.promise
  }

  /**
   * The store with those of the other instances behind it.
   * @throws LatchkeyError recovering before the program serves the store
   */
  get view(): RoutedStore<Store> {
    if (this.#routing !== undefined) return this.#routing.store
    const found = 'it joins its group when the program serves it. Call serve(store), at advertisedUrl'
    throw new LatchkeyError('recovering', `Reading store ${this.config.storeId}: ${found}`)
  }

  /** Joins the group, once. @param token that serve() requires, and all other instances, too; it may be replaced later */
  join(store: Store, token: string | undefined, lookupStats: LookupStats): Routing<Store> {
    if (this.#routing !== undefined) {
      if (token !== undefined && token !== this.#token) {
        this.#routing.replaceToken(token)
        this.#instance.post({ type: 'token', token })
      }
      this.#token = token
      return this.#routing
    }
    this.#token = token
    const { routing: mode, peerCa: ca, advertisedUrl = '' } = this.#settings
    const routing = new Routing(store, {
      token,
      mode,
      tls: { ca },
      counts: lookupStats.forwards,
      reached: (memberId, url) => this.#instance.post({ type: 'reached', memberId, url }),
      suspect: (memberId) => this.#instance.post({ type: 'suspect', memberId }),
    })
    this.#routing = routing
    this.#watch = new PeerWatch(routing.peers, (state) => this.#instance.setReachable(state))
    const { protocol, port } = new URL(advertisedUrl)
    const scheme = protocol === 'https:' ? 'https' : 'http'
    const place = { url: advertisedUrl, scheme, port: Number(port) || (scheme === 'https' ? 443 : 80) } as const
    this.#instance.begin(store, place, token, {
      report: (report) => this.#take(store, report),
      peers: () => this.#watch?.states ?? new Map(),
      failed: this.#failure.resolve,
    })
    return routing
  }

  /** Hands over what this instance holds, and leaves the group. Others are answered until then. */
  async leave(): Promise<void> {
    await this.#instance.leave(this.#settings.handoverSeconds)
    this.#watch?.close()
    this.#routing?.close()
  }

  #take(store: Store, report: GroupReport): void {
    store.setGroup(report)
    if (this.#routing!.setGroup(report.view)) this.#watch?.groupChanged()
  }
}
