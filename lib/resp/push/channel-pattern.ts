/** Names of the channels of keyspace notifications, as Redis has them, and a pattern of such names. */
import { Glob } from '../glob.ts'
import { bytesOf, hasPrefix, latin1Of } from './encoded.ts'
import type { PushQueue } from './push-queue.ts'

/** Before a key: what has happened to it is the message. */
export const keyspace = '__keyspace@0__:'
/** Before `set` or `del`: the key is the message. */
export const keyevent = '__keyevent@0__:'

export type KeyEvent = 'set' | 'del'

export class ChannelPattern {
  readonly text: string
  readonly queues = new Set<PushQueue>()
  /** Events whose channel of all keys matches. */
  readonly #events: ReadonlySet<KeyEvent>
  readonly #glob: Glob
  /** Bytes that every key begins with whose channel matches; undefined if none can match. */
  readonly #keyPrefix: Uint8Array | undefined

  /** @throws CommandError if it is too long */
  constructor(text: string) {
    this.text = text
    this.#glob = new Glob(bytesOf(text))
    const events: KeyEvent[] = ['set', 'del']
    this.#events = new Set(events.filter((event) => this.#glob.matches(bytesOf(keyevent + event))))
    const prefix = latin1Of(this.#glob.prefix)
    const mayMatch = prefix.startsWith(keyspace) || keyspace.startsWith(prefix)
    this.#keyPrefix = mayMatch ? bytesOf(prefix.slice(keyspace.length)) : undefined
  }

  /** Steps of comparing since renew(). */
  get steps(): number {
    return this.#glob.steps
  }

  /** It may take its number of steps again. */
  renew(): void {
    this.#glob.renew()
  }

  /** Returns false if no channel of a change can match. The key is in `data`. */
  mayMatch(data: Uint8Array, start: number, length: number, event: KeyEvent): boolean {
    if (this.#events.has(event)) return true
    return this.#hasKeyPrefix(data, start, length)
  }

  matchesEvent(event: KeyEvent): boolean {
    return this.#events.has(event)
  }

  /**
   * @param channel of the key
   * @throws GlobTooCostly
   */
  matchesKey(channel: Uint8Array): boolean {
    const { length } = keyspace
    return this.#hasKeyPrefix(channel, length, channel.length - length) && this.#glob.matches(channel)
  }

  #hasKeyPrefix(data: Uint8Array, start: number, length: number): boolean {
    return this.#keyPrefix !== undefined && hasPrefix(data, start, length, this.#keyPrefix)
  }
}
