/** The feeds of one thread in a group: those of its clients, over all instances. */
import { LatchkeyError } from '../../errors.ts'
import type { Following, FollowOptions, KeyWatching } from '../../store-protocol/following.ts'
import type { GroupAsker } from '../group-asker.ts'
import { FeedKeyWatch } from './feed-key-watch.ts'
import type { FeedLink } from './feed-link.ts'
import type { FeedGroup } from './feed-parts.ts'
import { type FeedLimits, GroupFeed, type GroupFeedOptions } from './group-feed.ts'
import type { FeedStore } from './held-part.ts'

/** At a time, in one thread. */
const feedsMax = 20_000

export interface FeedPeers {
  of(memberId: string): { readonly feeds: FeedLink } | undefined
}

export class GroupFeeds {
  readonly #group: FeedGroup
  readonly #limits: FeedLimits
  readonly #feeds = new Set<GroupFeed>()
  #opening = 0

  constructor(store: FeedStore, asker: GroupAsker, peers: FeedPeers, limits: FeedLimits = {}) {
    this.#group = {
      store,
      routes: asker.routes,
      linkTo: (memberId) => peers.of(memberId)?.feeds,
      nameOf: (memberId) => asker.nameOf(memberId),
    }
    this.#limits = limits
  }

  /** Number of feeds. */
  get size(): number {
    return this.#feeds.size
  }

  /** As LocalChanges.follow, of all partitions. */
  follow(options: FollowOptions, ready: () => void): Promise<Following> {
    return this.#open({ ...options, keysOnly: false }, ready)
  }

  /** As LocalChanges.watchKeys, of all partitions. */
  async watchKeys(ready: () => void): Promise<KeyWatching> {
    // While the store of this instance recovers, this waits until it serves, as without a group.
    const local = await this.#group.store.changes.watchKeys(() => {})
    local.close()
    return FeedKeyWatch.open(
      (changed) => this.#open({ from: 'now', withValues: false, keysOnly: true }, changed),
      ready,
    )
  }

  /** To be called when routes have changed. */
  routesChanged(): void {
    for (const feed of this.#feeds) feed.routesChanged()
  }

  async #open(options: GroupFeedOptions, ready: () => void): Promise<GroupFeed> {
    const { store } = this.#group
    if (this.#feeds.size + this.#opening >= feedsMax) {
      const found = `${feedsMax} feeds are open already. Retry later`
      throw new LatchkeyError('waits_exhausted', `Following changes of store ${store.id}: ${found}`)
    }
    this.#opening++
    try {
      const feed = await GroupFeed.open(this.#group, options, this.#limits, ready, (closed) => {
        this.#feeds.delete(closed)
      })
      this.#feeds.add(feed)
      // Routes may have changed while it was opened.
      feed.routesChanged()
      return feed
    } finally {
      this.#opening--
    }
  }
}
