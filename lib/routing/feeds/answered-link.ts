/**
 * A link as the instance has it that answers: parts of feeds that another instance follows here, from the memory of this
 * one and from nothing else. Who asks asks again and again, and a request is held for a moment while there is nothing. A
 * part is sent one batch for each time that its client waits, so nothing is kept for a slow one but its place.
 */
import { LatchkeyError } from '../../errors.ts'
import type { ChangeId } from '../../store-protocol/change-id.ts'
import type { ChangeBatch, ChangeEvent } from '../../store-protocol/following.ts'
import type { Turns } from '../../turns.ts'
import { errorOf } from '../answer.ts'
import { type FeedStore, HeldPart } from './held-part.ts'
import { keyBytesOf, type KeyRoom } from './key-room.ts'
import type { PartOptions } from './part-options.ts'
import { type LinkAnswer, type LinkItem, linkPartsMax, type LinkRequest } from './wire-links.ts'

/** Of the values of one answer, after the first batch. */
const answerBytesMax = 4 << 20
const eventBytes = 64
const holdMsMax = 100
/** Places of parts that have everything are sent so often: a place is not good for long. */
const placesMs = 1_000
const noValue = new Uint8Array()

interface AnsweredPart {
  readonly number: number
  readonly keysOnly: boolean
  /** Of its keys, as KeyRoom counts them. */
  readonly bytes: number
  /** Undefined while it is opened. */
  following: HeldPart | undefined
  isReady: boolean
  isWanted: boolean
}

export class AnsweredLink {
  answeredAt = performance.now()
  readonly #store: FeedStore
  readonly #turns: Turns
  readonly #room: KeyRoom
  readonly #parts = new Map<number, AnsweredPart>()
  /** Parts that are wanted and may have something. */
  readonly #due = new Set<AnsweredPart>()
  /** To be said of parts, before their changes. */
  #said: LinkItem[] = []
  #wake: (() => void) | undefined
  #isAnswering = false
  /** Number of the next request. */
  #turn = 0
  #placesAt = performance.now()

  constructor(store: FeedStore, turns: Turns, room: KeyRoom) {
    this.#store = store
    this.#room = room
    this.#turns = turns
  }

  get isAnswering(): boolean {
    return this.#isAnswering
  }

  /** Never rejects but with LatchkeyError malformed_request. */
  async answer({ turn, opened, closed, wanted, holdMs }: LinkRequest): Promise<LinkAnswer> {
    // It was sent twice, such as by who has listened: what its batches have would be missing in those of the link.
    if (turn !== this.#turn) return unknownLink
    if (this.#isAnswering) throw new LatchkeyError('malformed_request', 'Answering a link: the request before is held')
    this.#isAnswering = true
    this.#turn++
    try {
      for (const [number, options] of opened) this.#open(number, options)
      for (const number of closed) this.#close(number)
      for (const number of wanted) this.#want(number)
      let items = await this.#collect()
      if (items.length === 0) {
        await this.#hold(Math.min(holdMs, holdMsMax))
        items = await this.#collect()
      }
      return { isKnown: true, items, places: this.#places() }
    } finally {
      this.answeredAt = performance.now()
      this.#isAnswering = false
    }
  }

  close(): void {
    for (const number of this.#parts.keys()) this.#close(number)
    this.#wake?.()
  }

  #open(number: number, options: PartOptions): void {
    this.#close(number)
    if (this.#parts.size >= linkPartsMax) return this.#end(number, tooMany)
    const { keysOnly } = options
    const bytes = keyBytesOf(options)
    if (!this.#room.take(bytes)) return this.#end(number, noRoom)
    const part: AnsweredPart = { number, keysOnly, bytes, following: undefined, isReady: false, isWanted: false }
    this.#parts.set(number, part)
    void this.#begin(part, options)
  }

  async #begin(part: AnsweredPart, options: PartOptions): Promise<void> {
    try {
      const following = await HeldPart.open(this.#store, options, () => this.#ready(part))
      if (this.#parts.get(part.number) !== part) return following.close()
      part.following = following
      const { resumed, place } = following
      this.#said.push({ type: 'opened', part: part.number, resumed, place })
      this.#ready(part)
      this.#wake?.()
    } catch (thrown) {
      if (this.#parts.get(part.number) === part) this.#end(part.number, errorOf(thrown))
    }
  }

  #close(number: number): void {
    const part = this.#parts.get(number)
    if (part === undefined) return
    this.#parts.delete(number)
    this.#due.delete(part)
    this.#room.release(part.bytes)
    this.#said = this.#said.filter((item) => item.part !== number)
    part.following?.close()
  }

  #end(number: number, error: LatchkeyError): void {
    this.#close(number)
    this.#said.push({ type: 'ended', part: number, error })
    this.#wake?.()
  }

  #ready(part: AnsweredPart): void {
    part.isReady = true
    this.#look(part)
  }

  #want(number: number): void {
    const part = this.#parts.get(number)
    if (part === undefined) return
    part.isWanted = true
    this.#look(part)
  }

  #look(part: AnsweredPart): void {
    if (!part.isReady || !part.isWanted || part.following === undefined) return
    this.#due.add(part)
    this.#wake?.()
  }

  /** Resolves when there may be something, or after a time. */
  #hold(holdMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, holdMs)
    this.#wake = resolve
    return promise.finally(() => {
      clearTimeout(timer)
      this.#wake = undefined
    })
  }

  async #collect(): Promise<LinkItem[]> {
    const items: LinkItem[] = []
    let bytes = 0
    for (const part of this.#due) {
      if (bytes > answerBytesMax) break
      this.#due.delete(part)
      part.isReady = false
      try {
        const batch = await part.following!.next()
        if (batch === undefined) continue
        part.isWanted = false
        part.isReady = true
        this.#due.delete(part)
        items.push({ type: 'batch', part: part.number, batch: part.keysOnly ? withoutValues(batch) : batch })
        bytes += sizeOf(batch)
      } catch (thrown) {
        if (this.#parts.get(part.number) === part) this.#end(part.number, errorOf(thrown))
      }
      if (this.#turns.isOver) await new Promise<void>((resolve) => this.#turns.wait(resolve))
    }
    // What is said of a part that was opened comes before its changes; what ends it, after them.
    const said = this.#said
    this.#said = []
    return [...said.filter(({ type }) => type === 'opened'), ...items, ...said.filter(({ type }) => type === 'ended')]
  }

  /** Parts of the same partitions have the same place. */
  #places(): Map<ChangeId, number[]> {
    const places = new Map<ChangeId, number[]>()
    const now = performance.now()
    if (now - this.#placesAt < placesMs) return places
    this.#placesAt = now
    for (const { number, following } of this.#parts.values()) {
      const place = following?.place
      if (place === undefined) continue
      const parts = places.get(place)
      if (parts === undefined) places.set(place, [number])
      else parts.push(number)
    }
    return places
  }
}

/** What is answered to requests that belong to no link that is known, or not at this moment. */
export const unknownLink: LinkAnswer = { isKnown: false, items: [], places: new Map() }
const tooMany = new LatchkeyError('waits_exhausted', `Following changes: a link has ${linkPartsMax} parts already`)
const noRoom = new LatchkeyError(
  'waits_exhausted',
  'Following changes: too many keys are followed here for others already',
)

function sizeOf({ events }: ChangeBatch): number {
  let bytes = events.length * eventBytes
  for (const event of events) if (event.type === 'put') bytes += event.entry.key.length + event.entry.value.length
  return bytes
}

function withoutValues({ events, place }: ChangeBatch): ChangeBatch {
  return { events: events.map(withoutValue), place }
}

function withoutValue(event: ChangeEvent): ChangeEvent {
  if (event.type !== 'put') return event
  const { key, partition, offset, timestamp } = event.entry
  return { type: 'put', entry: { key, partition, offset, timestamp, value: noValue } }
}
