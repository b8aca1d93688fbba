/**
 * A feed of all partitions that it concerns, wherever they are: each part of it is served by this instance or by another
 * one. A part that ends is continued after its place, by the routes of that moment. Between parts there is no order, as
 * there is none between partitions.
 */
import type { LatchkeyError } from '../../errors.ts'
import type { ChangeId } from '../../store-protocol/change-id.ts'
import type { ChangeBatch, Following, FollowOptions, Resumed } from '../../store-protocol/following.ts'
import { errorOf } from '../answer.ts'
import type { FeedPart } from './feed-part.ts'
import { type FeedFilter, type FeedGroup, isForElsewhere, openParts, type UnservedPart } from './feed-parts.ts'
import { FeedScope } from './feed-scope.ts'
import { placeIn, placeOfAll } from './places.ts'

const openMsMax = 3_000
const unservedMsMax = 60_000
const resumedOrder: readonly Resumed[] = ['ring', 'changelog', 'reset']

export interface GroupFeedOptions extends FollowOptions {
  readonly keysOnly: boolean
}

/** How long a feed waits for who serves it; for tests. */
export interface FeedLimits {
  readonly openMs?: number | undefined
  readonly unservedMs?: number | undefined
  /** After which a link expires that is not asked any more. */
  readonly expiryMs?: number | undefined
}

export class GroupFeed implements Following {
  readonly #group: FeedGroup
  readonly #scope: FeedScope
  readonly #filter: FeedFilter
  readonly #limits: FeedLimits
  readonly #ready: () => void
  readonly #closed: (feed: GroupFeed) => void
  /** The one whose turn it is comes first. */
  readonly #parts = new Set<FeedPart>()
  readonly #unserved = new Set<UnservedPart>()
  /** Another one after each beginning: what was begun before does not concern the feed any more. */
  #life = 0
  #isResetDue: boolean
  #isClosed = false
  #resumed: Resumed | undefined
  #error: LatchkeyError | undefined

  /**
   * @param ready called when next() may have something
   * @param closed called when the feed has been closed
   * @returns rejects with LatchkeyError: owner_unreachable, and what a follower is refused with here
   */
  static async open(
    group: FeedGroup,
    options: GroupFeedOptions,
    limits: FeedLimits,
    ready: () => void,
    closed: (feed: GroupFeed) => void,
  ): Promise<GroupFeed> {
    const feed = new GroupFeed(group, options, limits, ready, closed)
    try {
      await feed.#serve(options.from, limits.openMs ?? openMsMax)
    } catch (thrown) {
      feed.close()
      throw thrown
    }
    return feed
  }

  private constructor(
    group: FeedGroup,
    options: GroupFeedOptions,
    limits: FeedLimits,
    ready: () => void,
    closed: (feed: GroupFeed) => void,
  ) {
    // A place may be large, and is not kept.
    const { from, partitions, ...filter } = options
    this.#group = group
    this.#scope = new FeedScope(group, { ...filter, ...(partitions && { partitions }) })
    this.#filter = filter
    this.#limits = limits
    this.#ready = ready
    this.#closed = closed
    this.#isResetDue = from === 'start'
  }

  get resumed(): Resumed | undefined {
    return this.#resumed
  }

  get place(): ChangeId | undefined {
    const place = this.#isResetDue ? undefined : this.#place
    return place === 'start' ? undefined : place
  }

  /** To be called when routes have changed. */
  routesChanged(): void {
    if (!this.#scope.renew()) return
    this.#beginAgain()
    this.#ready()
  }

  async next(): Promise<ChangeBatch | undefined> {
    if (this.#error !== undefined) throw this.#error
    if (this.#isResetDue) {
      this.#isResetDue = false
      return { events: [{ type: 'reset' }], place: 'start' }
    }
    for (const part of this.#parts) {
      if (!part.isReady) continue
      const batch = await this.#nextOf(part)
      if (batch !== undefined) return batch
    }
    // A part has begun again meanwhile, and all others with it.
    return this.#isResetDue ? this.next() : undefined
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#endParts()
    this.#closed(this)
  }

  async #nextOf(part: FeedPart): Promise<ChangeBatch | undefined> {
    let batch
    try {
      batch = await part.next()
    } catch (thrown) {
      if (!this.#parts.has(part)) return undefined
      const error = errorOf(thrown)
      const isHere = this.#group.routes.isSelf(part.holder)
      if (isHere && !isForElsewhere(error)) throw error
      this.#continueElsewhere(part, isForElsewhere(error) ? undefined : part.holder)
      return undefined
    }
    if (batch === undefined || !this.#parts.has(part)) return undefined
    // The others have their turn first.
    this.#parts.delete(part)
    this.#parts.add(part)
    const isReset = batch.events[0]?.type === 'reset'
    if (isReset && !part.isBeginning) {
      this.#beginAgain()
      return undefined
    }
    if (isReset) part.isBeginning = false
    part.took(batch)
    const events = isReset ? batch.events.slice(1) : batch.events
    return { events, place: batch.place && this.#place }
  }

  get #place(): ChangeId | 'start' {
    const places: ChangeId[] = []
    for (const { place } of this.#parts) {
      if (place === 'start') return place
      places.push(place)
    }
    for (const { from, partitions } of this.#unserved) {
      if (typeof from !== 'object') return 'start'
      places.push(placeIn(from, partitions))
    }
    return placeOfAll(places)
  }

  /** Has all partitions served. */
  async #serve(from: FollowOptions['from'], limitMs: number): Promise<void> {
    const unserved = { partitions: new Set(this.#scope.partitions), from, seen: new Map(), failed: undefined }
    await this.#open(unserved, limitMs)
    const resumed = [...this.#parts].flatMap((part) => part.resumed ?? [])
    this.#resumed = resumed.toSorted((a, b) => resumedOrder.indexOf(b) - resumedOrder.indexOf(a))[0]
  }

  async #open(unserved: UnservedPart, limitMs: number): Promise<void> {
    const life = this.#life
    this.#unserved.add(unserved)
    await openParts(this.#group, this.#filter, unserved, limitMs, {
      ready: () => this.#ready(),
      opened: (part) => {
        this.#parts.add(part)
        this.#ready()
      },
      isOver: () => this.#isClosed || this.#life !== life,
    })
    this.#unserved.delete(unserved)
  }

  /**
   * Continues a part where it is served now. The place of a listing cannot be continued: then all begin again.
   * @param failed who is asked for it last; undefined if it only does not hold all of it any more
   */
  #continueElsewhere(part: FeedPart, failed: string | undefined): void {
    if (!this.#parts.delete(part)) return
    part.close()
    const { partitions, place: from, seen } = part
    if (from === 'start') return this.#beginAgain(failed)
    this.#openLater({ partitions: new Set(partitions), from, seen, failed })
  }

  #beginAgain(failed?: string): void {
    this.#endParts()
    if (this.#resumed !== undefined) this.#resumed = 'reset'
    this.#isResetDue = true
    this.#openLater({ partitions: new Set(this.#scope.partitions), from: 'start', seen: new Map(), failed })
  }

  #openLater(unserved: UnservedPart): void {
    const life = this.#life
    this.#open(unserved, this.#limits.unservedMs ?? unservedMsMax).catch((thrown: unknown) => {
      if (this.#isClosed || this.#life !== life) return
      this.#error = errorOf(thrown)
      this.#ready()
    })
  }

  #endParts(): void {
    this.#life++
    for (const part of this.#parts) part.close()
    this.#parts.clear()
    this.#unserved.clear()
  }
}
