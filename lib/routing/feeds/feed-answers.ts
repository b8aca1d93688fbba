/** The links of other instances, as one thread answers them. One that is not asked any more expires. */
import { LatchkeyError } from '../../errors.ts'
import { Turns } from '../../turns.ts'
import { AnsweredLink } from './answered-link.ts'
import type { FeedStore } from './held-part.ts'
import type { LinkAnswer, LinkRequest } from './wire-links.ts'

/** Of one member: it has one for each of its threads. */
const linksOfMemberMax = 64
const linksMax = 1_024
const expiryMs = 5_000
const lookMs = 1_000

const unknown: LinkAnswer = { isKnown: false, items: [], places: new Map() }

export class FeedAnswers {
  readonly #store: FeedStore
  readonly #expiryMs: number
  readonly #turns = new Turns()
  /** By member, and by name. */
  readonly #links = new Map<string, Map<string, AnsweredLink>>()
  #timer: Timer | undefined

  constructor(store: FeedStore, expiry = expiryMs) {
    this.#store = store
    this.#expiryMs = expiry
  }

  /** Number of links. */
  get size(): number {
    return this.#links.values().reduce((sum, links) => sum + links.size, 0)
  }

  /** @returns rejects with LatchkeyError: malformed_request, waits_exhausted */
  async answer(memberId: string, request: LinkRequest): Promise<LinkAnswer> {
    const link = request.isNew ? this.#begin(memberId, request.link) : this.#links.get(memberId)?.get(request.link)
    return link === undefined ? unknown : link.answer(request)
  }

  close(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    for (const links of this.#links.values()) for (const link of links.values()) link.close()
    this.#links.clear()
  }

  #begin(memberId: string, name: string): AnsweredLink {
    const links = this.#links.get(memberId) ?? new Map<string, AnsweredLink>()
    if (links.size >= linksOfMemberMax || this.size >= linksMax) {
      const found = `${links.size} links of this member exist already, of ${this.size}`
      throw new LatchkeyError('waits_exhausted', `Answering a link of another instance: ${found}`)
    }
    links.get(name)?.close()
    const link = new AnsweredLink(this.#store, this.#turns)
    links.set(name, link)
    this.#links.set(memberId, links)
    this.#timer ??= setInterval(() => this.#look(), Math.min(lookMs, this.#expiryMs)).unref()
    return link
  }

  #look(): void {
    const now = performance.now()
    for (const [memberId, links] of this.#links) {
      for (const [name, link] of links) {
        if (link.isAnswering || now - link.answeredAt < this.#expiryMs) continue
        link.close()
        links.delete(name)
      }
      if (links.size === 0) this.#links.delete(memberId)
    }
    if (this.#links.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
