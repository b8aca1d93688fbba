/**
 * Pushes that wait for one client: messages of its subscriptions, and keys that its near cache has to forget. A later
 * message of a channel replaces an earlier one that is equal, and a key is named once, so a slow client skips what lies
 * between. Nothing is sent while a command is in progress: a client may keep what the reply shows, so an invalidation
 * that was caused since the command began has to come after it.
 */
import type { ReplyWriter } from '../reply-writer.ts'
import {
  keysPerPush,
  latestAllBytesMax,
  latestBytesMax,
  pushOverheadBytes,
  queueBytesMax,
  sentBytesMax,
} from './push-limits.ts'
import type { CountedQueue, PushQueues } from './push-queues.ts'

/** A message of a subscription. */
export interface Message {
  /** Of equal messages the last one is sent. */
  readonly id: string
  /** See encoded(). */
  readonly bytes: Uint8Array
}

/** Why the connection ends. */
export type PushFault =
  | 'it did not take the messages of its subscriptions'
  | 'changes were missed that its subscriptions name'
  | 'changes cannot be watched'
  | 'its pattern takes too long to compare'

export class PushQueue implements CountedQueue {
  readonly #replies: ReplyWriter
  readonly #queues: PushQueues
  readonly #fail: (fault: PushFault) => void
  /** Created when it is needed: most clients have none. */
  #messages: Map<string, Message> | undefined
  /** Keys that the client has to forget, by their names. */
  #invalid: Map<string, Uint8Array> | undefined
  /** It has to forget all keys. */
  #isAllInvalid = false
  #bytes = 0
  #isHeld = false
  #isOver = false

  /** @param fail ends the connection */
  constructor(replies: ReplyWriter, queues: PushQueues, fail: (fault: PushFault) => void) {
    this.#replies = replies
    this.#queues = queues
    this.#fail = fail
  }

  get bytes(): number {
    return this.#bytes
  }

  add(message: Message): void {
    if (this.#isOver) return
    const messages = (this.#messages ??= new Map<string, Message>())
    const isNew = !messages.delete(message.id)
    // The last one takes the last place.
    messages.set(message.id, message)
    if (isNew) this.#grow(message.bytes.length + pushOverheadBytes)
    if (this.#bytes > queueBytesMax) this.overflow()
    this.#queues.schedule(this)
  }

  /**
   * @param name distinct for each key
   * @param key as the client writes it
   */
  invalidate(name: string, key: Uint8Array): void {
    if (this.#isOver || this.#isAllInvalid) return
    const invalid = (this.#invalid ??= new Map<string, Uint8Array>())
    if (!invalid.has(name)) {
      invalid.set(name, key)
      this.#grow(key.length + pushOverheadBytes)
    }
    if (this.#bytes > queueBytesMax) this.overflow()
    this.#queues.schedule(this)
  }

  /**
   * The client has to forget all keys. Those that wait are still named, before that.
   * @param latest keys to be named, too, as far as there is room for them
   */
  invalidateEverything(latest: Iterable<readonly [string, Uint8Array]> = []): void {
    if (this.#isOver || this.#isAllInvalid) return
    for (const [name, key] of latest) {
      if (this.#bytes > latestBytesMax || this.#queues.bytes > latestAllBytesMax) break
      this.invalidate(name, key)
    }
    if (this.#isAllInvalid) return
    this.#isAllInvalid = true
    this.#grow(pushOverheadBytes)
    this.#queues.schedule(this)
  }

  /** A command begins to wait. */
  hold(): void {
    this.#isHeld = true
  }

  /** It has ended, and its reply is written. */
  release(): void {
    this.#isHeld = false
  }

  /** Sends what waits, as far as the client takes it. To be called whenever it has taken something. */
  send(): void {
    if (this.#isHeld || this.#bytes === 0) return
    this.#sendInvalid()
    this.#sendMessages()
    this.#replies.flush()
  }

  /** What can be said in short is; a client that needs each message is closed, since it would not know what it missed. */
  overflow(): void {
    const hasMessages = (this.#messages?.size ?? 0) > 0
    if (this.#invalid !== undefined && this.#invalid.size > 0) {
      this.#shorten(this.#isAllInvalid ? 0 : latestBytesMax)
      this.invalidateEverything()
    } else if (hasMessages) this.fail('it did not take the messages of its subscriptions')
  }

  /** Ends the connection. */
  fail(fault: PushFault): void {
    this.close()
    this.#fail(fault)
  }

  /** The client has no subscriptions and no near cache any more. */
  clear(): void {
    this.#messages = undefined
    this.#invalid = undefined
    this.#isAllInvalid = false
    this.#grow(-this.#bytes)
  }

  /** Nothing more is sent. */
  close(): void {
    this.#isOver = true
    this.clear()
  }

  #sendInvalid(): void {
    const replies = this.#replies
    while (this.#invalid !== undefined && this.#invalid.size > 0 && replies.waiting < sentBytesMax) {
      const some = [...this.#invalid.entries().take(keysPerPush)]
      this.#startInvalidation()
      replies.array(some.length)
      for (const [name, key] of some) {
        replies.shared(key)
        this.#invalid.delete(name)
        this.#grow(-key.length - pushOverheadBytes)
      }
    }
    if (!this.#isAllInvalid || replies.waiting >= sentBytesMax) return
    this.#startInvalidation()
    replies.nil()
    this.dropInvalidations()
  }

  /** Drops names, those that have waited longest first, as everything is invalid. */
  #shorten(bytesMax: number): void {
    let dropped = 0
    for (const [name, key] of this.#invalid ?? []) {
      if (this.#bytes - dropped <= bytesMax) break
      this.#invalid!.delete(name)
      dropped += key.length + pushOverheadBytes
    }
    this.#grow(-dropped)
  }

  #startInvalidation(): void {
    this.#replies.push(2)
    this.#replies.text('invalidate')
  }

  #sendMessages(): void {
    if (this.#messages === undefined) return
    for (const [id, { bytes }] of this.#messages) {
      if (this.#replies.waiting >= sentBytesMax) return
      this.#replies.encodedPush(bytes)
      this.#messages.delete(id)
      this.#grow(-bytes.length - pushOverheadBytes)
    }
  }

  /** Invalidations are not needed any more. */
  dropInvalidations(): void {
    let bytes = this.#isAllInvalid ? pushOverheadBytes : 0
    for (const key of this.#invalid?.values() ?? []) bytes += key.length + pushOverheadBytes
    this.#invalid = undefined
    this.#isAllInvalid = false
    this.#grow(-bytes)
  }

  #grow(bytes: number): void {
    this.#bytes += bytes
    this.#queues.changed(this, bytes)
  }
}
