/** Watches which keys change in a group: by a feed without values, of which it holds one batch. */
import type { ChangeEvent, Following, KeyWatching, WantsKey, WatchedKey } from '../../store-protocol/following.ts'

type Follow = (ready: () => void) => Promise<Following>

export class FeedKeyWatch implements KeyWatching {
  readonly #follow: Follow
  readonly #ready: () => void
  #feed: Following | undefined
  /** Keys that were not taken. */
  #left: WatchedKey[] = []
  #said: 'missed' | 'ended' | undefined
  #isPulling = false
  #isWoken = false
  #isClosed = false

  /**
   * @param follow begins a feed of changes from now on
   * @param ready called when take() may return something
   */
  static async open(follow: Follow, ready: () => void): Promise<FeedKeyWatch> {
    const watch = new FeedKeyWatch(follow, ready)
    await watch.#begin()
    return watch
  }

  private constructor(follow: Follow, ready: () => void) {
    this.#follow = follow
    this.#ready = ready
  }

  take(max: number, wants: WantsKey): readonly WatchedKey[] | 'missed' | 'ended' | undefined {
    if (this.#left.length > 0) {
      const some = this.#left.splice(0, max)
      return some.filter(({ key, isDeletion }) => wants(key, 0, key.length, isDeletion))
    }
    const said = this.#said
    if (said === 'missed') this.#said = undefined
    if (said === undefined) this.#pull()
    return said
  }

  close(): void {
    this.#isClosed = true
    this.#feed?.close()
  }

  async #begin(): Promise<void> {
    const feed = await this.#follow(() => {
      this.#isWoken = true
      this.#pull()
    })
    if (this.#isClosed) feed.close()
    else this.#feed = feed
    this.#isWoken = true
    this.#pull()
  }

  #pull(): void {
    if (this.#isPulling || this.#feed === undefined || !this.#isWoken) return
    if (this.#left.length > 0 || this.#said !== undefined || this.#isClosed) return
    this.#isPulling = true
    void this.#pullFrom(this.#feed)
  }

  async #pullFrom(feed: Following): Promise<void> {
    try {
      while (this.#isWoken && this.#left.length === 0 && this.#said === undefined) {
        this.#isWoken = false
        const batch = await feed.next()
        if (batch === undefined) continue
        this.#isWoken = true
        if (batch.events.some(({ type }) => type === 'reset')) await this.#missed(feed)
        else this.#left = batch.events.flatMap(watchedKeyOf)
      }
    } catch {
      // The store does not serve any more, or no instance serves a partition.
      this.#said = 'ended'
    }
    this.#isPulling = false
    if (!this.#isClosed && (this.#left.length > 0 || this.#said !== undefined)) this.#ready()
  }

  /** A listing would follow: another feed from now on has what changes later. */
  async #missed(feed: Following): Promise<void> {
    feed.close()
    this.#feed = undefined
    await this.#begin()
    this.#said = 'missed'
  }
}

function watchedKeyOf(event: ChangeEvent): WatchedKey[] {
  if (event.type === 'put') return [{ key: event.entry.key, isDeletion: false }]
  return event.type === 'delete' ? [{ key: event.key, isDeletion: true }] : []
}
