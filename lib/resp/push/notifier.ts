/**
 * Brings changes of the store to the clients of a thread: to those that have subscribed, and to those that track keys.
 * It watches the store only while there is such a client.
 */
import type { Presentation } from '../../definition/presentation.ts'
import type { KeyWatching, WatchedKey } from '../../store-protocol/following.ts'
import type { Turns } from '../../turns.ts'
import { nextTurn } from '../next-turn.ts'
import type { RespStore } from '../store-view.ts'
import { latin1Of } from './encoded.ts'
import { changesPerTurn } from './push-limits.ts'
import type { PushQueue } from './push-queue.ts'
import { PushQueues } from './push-queues.ts'
import { Subscriptions } from './subscriptions.ts'
import type { TrackedKeysOptions } from './tracked-keys.ts'
import { Tracking } from './tracking.ts'

export class Notifier {
  readonly queues = new PushQueues()
  readonly subscriptions: Subscriptions
  readonly tracking: Tracking
  readonly #store: RespStore
  readonly #turns: Turns
  /** Clients that subscribe or track, or are about to. */
  readonly #users = new Set<PushQueue>()
  /** Those that do so before changes are watched, because the store recovers. */
  readonly #early = new Set<PushQueue>()
  #watch: KeyWatching | undefined
  #opening: Promise<void> | undefined
  #isDispatching = false

  /** @param turns are shared with commands: a change may concern thousands of clients */
  constructor(store: RespStore, turns: Turns, options: TrackedKeysOptions) {
    this.#store = store
    this.#turns = turns
    this.subscriptions = new Subscriptions(store.presentation.hasPlainKeys)
    this.tracking = new Tracking(options, store.presentation)
  }

  /**
   * To be called before a client subscribes or tracks: what changes after that reaches it. While the store recovers, as
   * with Redis, the client does not wait; when the store serves, it learns that anything may have changed.
   * @returns a promise if it has to wait; rejects with LatchkeyError if the store will not serve
   */
  begin(queue: PushQueue): void | Promise<void> {
    this.#users.add(queue)
    if (this.#watch !== undefined) return
    if (this.#opening === undefined) {
      this.#opening = this.#open()
      this.#opening.catch(() => {})
    }
    if (!this.#store.changes.isRecovering) return this.#opening
    this.#early.add(queue)
  }

  /** The client neither subscribes nor tracks. */
  end(queue: PushQueue): void {
    this.#early.delete(queue)
    if (!this.#users.delete(queue) || this.#users.size > 0) return
    this.#watch?.close()
    this.#watch = undefined
  }

  async #open(): Promise<void> {
    try {
      const watch = await this.#store.changes.watchKeys(() => this.#wake())
      if (this.#users.size === 0) watch.close()
      else this.#watch = watch
      // What they have read since the store serves may have changed before it was watched.
      if (this.#early.size > 0) this.#lost('missed')
    } catch (error) {
      for (const queue of this.#early) queue.fail('changes cannot be watched')
      throw error
    } finally {
      this.#early.clear()
      this.#opening = undefined
    }
  }

  #wake(): void {
    if (this.#isDispatching) return
    this.#isDispatching = true
    void this.#dispatch()
  }

  async #dispatch(): Promise<void> {
    // A watch that has just begun is known in the next turn.
    for (;;) {
      await nextTurn()
      const taken = this.#watch?.take(changesPerTurn, this.#wants)
      if (taken === undefined) break
      if (taken === 'ended') this.#end()
      else if (typeof taken === 'string') this.#lost(taken)
      else await this.#dispatchAll(taken)
    }
    this.#isDispatching = false
  }

  async #dispatchAll(changes: readonly WatchedKey[]): Promise<void> {
    for (const change of changes) {
      await this.#changed(change)
      await this.#turn()
    }
  }

  /** Lets others have their turn if this one is over. */
  #turn(): void | Promise<void> {
    if (this.#turns.isOver) return new Promise((resolve) => this.#turns.wait(resolve))
  }

  /** Clients connect again, and learn why. */
  #end(): void {
    this.#watch?.close()
    this.#watch = undefined
    for (const queue of this.#users) queue.fail('changes cannot be watched')
  }

  #lost(what: 'missed' | 'moved'): void {
    this.tracking.everythingChanged()
    if (what === 'missed') this.subscriptions.missed()
  }

  readonly #wants = (data: Uint8Array, start: number, length: number, isDeletion: boolean): boolean => {
    const event = isDeletion ? 'del' : 'set'
    return this.tracking.wants(data, start, length) || this.subscriptions.wants(data, start, length, event)
  }

  async #changed({ key, isDeletion }: WatchedKey): Promise<void> {
    const shown = textOf(this.#store.presentation, key)
    const text = shown instanceof Promise ? await shown : shown
    const name = latin1Of(key)
    this.tracking.changed(name, text)
    for (const _ of this.subscriptions.changed(name, text, isDeletion ? 'del' : 'set')) await this.#turn()
  }
}

/** Returns a key as clients write it. One that is not of the format is shown as it is stored. */
function textOf(presentation: Presentation, key: Uint8Array): Uint8Array | Promise<Uint8Array> {
  try {
    const text = presentation.keyText(key)
    return text instanceof Promise ? text.catch(() => key) : text
  } catch {
    return key
  }
}
