/** Who has subscribed to which channels and patterns, and the messages of a changed key. */
import { isInstance } from '../../errors.ts'
import { CommandError } from '../error-reply.ts'
import { GlobTooCostly } from '../glob.ts'
import { ChannelPattern, type KeyEvent, keyevent, keyspace } from './channel-pattern.ts'
import { bytesOf, encoded, latin1Of } from './encoded.ts'
import { KeyFilter } from './key-filter.ts'
import { patternRenewalMs, patternsMax, patternsStepsMax, pauseSteps } from './push-limits.ts'
import type { Message, PushQueue } from './push-queue.ts'

interface Channel {
  readonly name: string
  /** Of a channel of one key: the key, as it is stored, one character for each byte. */
  readonly key: string | undefined
  readonly queues: Set<PushQueue>
}

export class Subscriptions {
  readonly #channels = new Map<string, Channel>()
  /** Keys may have several texts, and so several channels. */
  readonly #byKey = new Map<string, Set<Channel>>()
  readonly #filter = new KeyFilter()
  readonly #patterns = new Map<string, ChannelPattern>()
  readonly #hasPlainKeys: boolean
  readonly #stepsMax: number
  #renewedAt = performance.now()
  /** Of comparing with all patterns, since then. */
  #steps = 0
  #bytes = 0

  /**
   * @param hasPlainKeys clients write keys as they are stored
   * @param stepsMax of comparing with all patterns, in a second
   */
  constructor(hasPlainKeys: boolean, stepsMax = patternsStepsMax) {
    this.#hasPlainKeys = hasPlainKeys
    this.#stepsMax = stepsMax
  }

  /** Of the names of all channels and patterns; each counts once for each client. */
  get bytes(): number {
    return this.#bytes
  }

  addBytes(added: number): void {
    this.#bytes += added
  }

  get isUsed(): boolean {
    return this.#channels.size + this.#patterns.size > 0
  }

  /** @param key of a channel of one key: as it is stored */
  subscribe(name: string, key: Uint8Array | undefined, queue: PushQueue): void {
    let channel = this.#channels.get(name)
    if (channel === undefined) {
      channel = { name, key: key && latin1Of(key), queues: new Set() }
      this.#channels.set(name, channel)
      this.#index(channel)
    }
    channel.queues.add(queue)
  }

  unsubscribe(name: string, queue: PushQueue): void {
    const channel = this.#channels.get(name)
    if (channel === undefined || !channel.queues.delete(queue) || channel.queues.size > 0) return
    this.#channels.delete(name)
    const { key } = channel
    if (key === undefined) return
    const channels = this.#byKey.get(key)!
    channels.delete(channel)
    this.#filter.remove(key)
    if (channels.size === 0) this.#byKey.delete(key)
  }

  /** @throws CommandError */
  subscribePattern(text: string, queue: PushQueue): void {
    const known = this.#patterns.get(text)
    if (known === undefined && this.#patterns.size >= patternsMax) {
      const found = `${patternsMax} other patterns are subscribed to already, the most that there may be`
      throw new CommandError(`ERR PSUBSCRIBE: ${found}; use fewer patterns, or SUBSCRIBE`)
    }
    const pattern = known ?? new ChannelPattern(text)
    pattern.queues.add(queue)
    this.#patterns.set(text, pattern)
  }

  unsubscribePattern(text: string, queue: PushQueue): void {
    const pattern = this.#patterns.get(text)
    if (pattern?.queues.delete(queue) === true && pattern.queues.size === 0) this.#patterns.delete(text)
  }

  wants(data: Uint8Array, start: number, length: number, event: KeyEvent): boolean {
    if (this.#filter.mayHave(data, start, length) || this.#channels.has(keyevent + event)) return true
    if (!this.#hasPlainKeys) return this.#patterns.size > 0
    for (const pattern of this.#patterns.values()) if (pattern.mayMatch(data, start, length, event)) return true
    return false
  }

  /**
   * A key has changed.
   * @param key one character for each byte, as it is stored
   * @param shown as clients write it
   * @returns pauses, in which others may get a turn: comparing with patterns may take long
   */
  *changed(key: string, shown: Uint8Array, event: KeyEvent): Iterable<void> {
    // In the order in which Redis sends them.
    for (const { name, queues } of this.#byKey.get(key) ?? []) send(queues, ['message', name, event])
    yield* this.#compare(shown, event)
    const ofEvent = this.#channels.get(keyevent + event)
    if (ofEvent !== undefined) send(ofEvent.queues, ['message', ofEvent.name, shown])
    for (const pattern of this.#patterns.values()) {
      if (pattern.matchesEvent(event)) send(pattern.queues, ['pmessage', pattern.text, keyevent + event, shown])
    }
  }

  /** Ends the connections of all subscribers: they cannot know what they have missed. */
  missed(): void {
    const all = [...this.#channels.values(), ...this.#patterns.values()].flatMap(({ queues }) => [...queues])
    for (const queue of new Set(all)) queue.fail('changes were missed that its subscriptions name')
  }

  /** Compares all patterns with the channel of a key. */
  *#compare(shown: Uint8Array, event: KeyEvent): Iterable<void> {
    if (this.#patterns.size === 0) return
    this.#renew()
    const channel = Buffer.concat([bytesOf(keyspace), shown])
    let stepsLeft = pauseSteps
    // Those of now: in a pause, some may be subscribed to again, and again.
    const patterns = Array.from(this.#patterns.values())
    for (const pattern of patterns) {
      const before = pattern.steps
      try {
        if (pattern.matchesKey(channel)) send(pattern.queues, ['pmessage', pattern.text, channel, event])
      } catch (thrown) {
        if (!isInstance(thrown, GlobTooCostly)) throw thrown
        this.#fail(pattern)
      }
      const steps = pattern.steps - before
      this.#steps += steps
      stepsLeft -= steps
      if (this.#steps > this.#stepsMax) this.#failCostliest()
      if (stepsLeft > 0) continue
      stepsLeft = pauseSteps
      yield
    }
  }

  /** All patterns together take too many steps. */
  #failCostliest(): void {
    let costliest: ChannelPattern | undefined
    for (const pattern of this.#patterns.values()) {
      if (pattern.steps > (costliest?.steps ?? 0)) costliest = pattern
    }
    if (costliest === undefined) return
    this.#steps -= costliest.steps
    this.#fail(costliest)
  }

  /** Ends the connections of those who have subscribed to a pattern. */
  #fail({ text, queues }: ChannelPattern): void {
    this.#patterns.delete(text)
    for (const queue of queues) queue.fail('its pattern takes too long to compare')
  }

  #index(channel: Channel): void {
    const { key } = channel
    if (key === undefined) return
    this.#filter.add(key)
    const channels = this.#byKey.get(key) ?? new Set()
    this.#byKey.set(key, channels.add(channel))
  }

  #renew(): void {
    const now = performance.now()
    if (now - this.#renewedAt < patternRenewalMs) return
    this.#renewedAt = now
    this.#steps = 0
    for (const pattern of this.#patterns.values()) pattern.renew()
  }
}

function send(queues: ReadonlySet<PushQueue>, parts: readonly (string | Uint8Array)[]): void {
  const bytes = encoded(parts)
  const message: Message = { id: latin1Of(bytes), bytes }
  for (const queue of queues) queue.add(message)
}
