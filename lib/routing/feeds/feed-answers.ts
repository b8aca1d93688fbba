/** The links of other instances, as one thread answers them. One that is not asked any more expires. */
import { LatchkeyError } from '../../errors.ts'
import { Turns } from '../../turns.ts'
import { AnsweredLink, unknownLink } from './answered-link.ts'
import type { FeedStore } from './held-part.ts'
import { KeyRoom } from './key-room.ts'
import type { LinkAnswer, LinkRequest } from './wire-links.ts'

/** Of one member: it has one for each of its threads. All that are not in the plan share this bound. */
const linksOfMemberMax = 64
const linksMax = 1_024
const expiryMs = 5_000
const lookMs = 1_000

/** Who asks. */
export interface LinkOwner {
  readonly memberId: string
  /** It is in the plan. Without SERVER_TOKEN anyone may ask, with any id; a new member may not be in the plan yet. */
  readonly isMember: boolean
}

interface OwnedLink extends LinkOwner {
  readonly link: AnsweredLink
}

export class FeedAnswers {
  readonly #store: FeedStore
  readonly #expiryMs: number
  readonly #turns = new Turns()
  readonly #room = new KeyRoom()
  /** By name. */
  readonly #links = new Map<string, OwnedLink>()
  #timer: Timer | undefined

  constructor(store: FeedStore, expiry = expiryMs) {
    this.#store = store
    this.#expiryMs = expiry
  }

  /** Number of links. */
  get size(): number {
    return this.#links.size
  }

  /** @returns rejects with LatchkeyError: malformed_request, waits_exhausted */
  async answer(owner: LinkOwner, request: LinkRequest): Promise<LinkAnswer> {
    const known = this.#links.get(request.link)
    if (known !== undefined) return known.memberId === owner.memberId ? known.link.answer(request) : unknownLink
    return request.turn === 0 ? this.#begin(owner, request.link).answer(request) : unknownLink
  }

  close(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    for (const { link } of this.#links.values()) link.close()
    this.#links.clear()
  }

  #begin({ memberId, isMember }: LinkOwner, name: string): AnsweredLink {
    const same = this.#links.values().filter((one) => (isMember ? one.memberId === memberId : !one.isMember))
    const count = [...same].length
    if (count >= linksOfMemberMax || this.size >= linksMax) {
      const whose = isMember ? 'of this member' : 'of instances that are not in the plan here'
      const found = `${count} links ${whose} exist already, of ${this.size}`
      throw new LatchkeyError('waits_exhausted', `Answering a link of another instance: ${found}`)
    }
    const link = new AnsweredLink(this.#store, this.#turns, this.#room)
    this.#links.set(name, { memberId, isMember, link })
    this.#timer ??= setInterval(() => this.#look(), Math.min(lookMs, this.#expiryMs)).unref()
    return link
  }

  #look(): void {
    const now = performance.now()
    for (const [name, { link }] of this.#links) {
      if (link.isAnswering || now - link.answeredAt < this.#expiryMs) continue
      link.close()
      this.#links.delete(name)
    }
    if (this.#links.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
