/** What one client is pushed: its subscriptions, its tracking, and the queue of what it has not taken. */
import type { ReplyWriter } from '../reply-writer.ts'
import { ClientTracking, type TrackingMode } from './client-tracking.ts'
import { latin1Of } from './encoded.ts'
import type { Notifier } from './notifier.ts'
import { type PushFault, PushQueue } from './push-queue.ts'

/** Counts over all threads. */
export interface PushCounts {
  addSubscriptions(count: number): void
  addTrackingClients(count: number): void
}

const none: ReadonlySet<string> = new Set()

export class ClientPushes {
  readonly #notifier: Notifier
  readonly #counts: PushCounts
  readonly #queue: PushQueue
  /** Created when they are needed: most clients have none. */
  #channels: Set<string> | undefined
  #patterns: Set<string> | undefined
  #tracking: ClientTracking | undefined
  #subscriptions = 0
  #subscriptionBytes = 0
  #isClosed = false

  /** @param fail ends the connection */
  constructor(notifier: Notifier, counts: PushCounts, replies: ReplyWriter, fail: (fault: PushFault) => void) {
    this.#notifier = notifier
    this.#counts = counts
    this.#queue = new PushQueue(replies, notifier.queues, fail)
  }

  get channels(): ReadonlySet<string> {
    return this.#channels ?? none
  }

  get patterns(): ReadonlySet<string> {
    return this.#patterns ?? none
  }

  /** Number of channels and patterns. */
  get subscriptions(): number {
    return this.#subscriptions
  }

  /** Bytes of their names. */
  get subscriptionBytes(): number {
    return this.#subscriptionBytes
  }

  /** The same of all clients of the thread. */
  get allSubscriptionBytes(): number {
    return this.#notifier.subscriptions.bytes
  }

  get tracking(): ClientTracking | undefined {
    return this.#tracking
  }

  /**
   * Lets the client subscribe or track when changes are watched.
   * @param register subscribes or tracks
   * @returns a promise if it has to wait; rejects with LatchkeyError while the store does not serve
   * @throws what `register` throws
   */
  whenWatched(register: () => void): void | Promise<void> {
    const beginning = this.#notifier.begin(this.#queue)
    return beginning === undefined ? this.#register(register) : this.#registerAfter(beginning, register)
  }

  /** @param key of a channel of one key, as it is stored */
  subscribe(name: string, key: Uint8Array | undefined): void {
    const channels = (this.#channels ??= new Set())
    if (this.#isClosed || channels.has(name)) return
    this.#notifier.subscriptions.subscribe(name, key, this.#queue)
    channels.add(name)
    this.#count(1, name)
  }

  unsubscribe(name: string): void {
    if (this.#channels?.delete(name) !== true) return
    this.#notifier.subscriptions.unsubscribe(name, this.#queue)
    this.#count(-1, name)
    this.#leaveIfUnused()
  }

  /** @throws CommandError */
  subscribePattern(text: string): void {
    const patterns = (this.#patterns ??= new Set())
    if (this.#isClosed || patterns.has(text)) return
    this.#notifier.subscriptions.subscribePattern(text, this.#queue)
    patterns.add(text)
    this.#count(1, text)
  }

  unsubscribePattern(text: string): void {
    if (this.#patterns?.delete(text) !== true) return
    this.#notifier.subscriptions.unsubscribePattern(text, this.#queue)
    this.#count(-1, text)
    this.#leaveIfUnused()
  }

  /**
   * Tracks, or changes how. Prefixes are added to those that the client has.
   * @throws CommandError
   */
  track(mode: TrackingMode, prefixes: readonly string[]): void {
    if (this.#isClosed) return
    const { tracking } = this.#notifier
    if (mode.isBroadcast) tracking.addPrefixes(prefixes, this.#queue)
    else tracking.addReader(this.#queue)
    if (this.#tracking === undefined) this.#counts.addTrackingClients(1)
    const all = new Set([...(this.#tracking?.prefixes ?? []), ...prefixes])
    // In the order in which Redis shows them.
    this.#tracking = new ClientTracking(mode, [...all].toSorted())
  }

  untrack(): void {
    if (this.#tracking === undefined) return
    this.#tracking = undefined
    this.#notifier.tracking.remove(this.#queue)
    this.#counts.addTrackingClients(-1)
    this.#leaveIfUnused()
  }

  /**
   * A command is about to read a key.
   * @param key one character for each byte, as it is stored
   */
  reads(key: string): void {
    if (this.#tracking?.isRemembering === true) this.#notifier.tracking.reads(key, this.#queue)
  }

  /** The client must not keep a key that it has written in another way than an invalidation would. */
  neverKeeps(key: Uint8Array): void {
    this.#queue.invalidate(`as written: ${latin1Of(key)}`, key)
  }

  commandBegins(isClient: boolean): void {
    this.#tracking?.commandBegins(isClient)
  }

  /** A command begins to wait: nothing is pushed before its reply. */
  hold(): void {
    this.#queue.hold()
  }

  release(): void {
    this.#queue.release()
  }

  /** Sends what waits, as far as the client takes it. */
  send(): void {
    this.#queue.send()
  }

  /** Ends all subscriptions and the tracking. */
  reset(): void {
    for (const name of this.channels) this.unsubscribe(name)
    for (const text of this.patterns) this.unsubscribePattern(text)
    this.untrack()
    this.#queue.clear()
  }

  close(): void {
    this.#isClosed = true
    this.reset()
    this.#notifier.end(this.#queue)
    this.#queue.close()
  }

  #register(register: () => void): void {
    try {
      register()
    } finally {
      this.#leaveIfUnused()
    }
  }

  async #registerAfter(beginning: Promise<void>, register: () => void): Promise<void> {
    try {
      await beginning
      register()
    } finally {
      this.#leaveIfUnused()
    }
  }

  #count(added: 1 | -1, name: string): void {
    this.#subscriptions += added
    this.#subscriptionBytes += added * name.length
    this.#notifier.subscriptions.addBytes(added * name.length)
    this.#counts.addSubscriptions(added)
  }

  #leaveIfUnused(): void {
    if (this.subscriptions === 0 && this.#tracking === undefined) this.#notifier.end(this.#queue)
  }
}
