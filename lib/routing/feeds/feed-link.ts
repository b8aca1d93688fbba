/**
 * The link of one thread to one peer: the parts of all feeds that the peer serves for it. It asks again and again, one
 * request at a time on a connection of its own, since the peer has the link in the thread that has the connection. When
 * anything fails, the link ends with all its parts: their feeds continue after their places, over another link.
 */
import { deadline } from '../../deadline.ts'
import { LatchkeyError } from '../../errors.ts'
import { openAnswer, type Recipient, sealRequest, unreachable } from '../exchange.ts'
import { PeerConnection, type PeerOutcome } from '../peer-connection.ts'
import type { PeerContext } from '../peer-context.ts'
import { isFault, type PeerFault } from '../peer-fault.ts'
import { LinkedPart } from './linked-part.ts'
import type { PartOptions } from './part-options.ts'
import { type LinkAnswer, linkPartsMax, partKeysMax, readLinkAnswer, writeLinkRequest } from './wire-links.ts'

/** How long the peer may hold a request; less while clients are busy, which want more soon. */
const holdMs = 100
const busyHoldMs = 20
const answerMsMax = 2_000
const openMsMax = 2_000
/** After an answer: clients take what it has, and want more. A peer that holds no request is asked no more often. */
const pauseMs = 2
/** Of the parts that one request opens, and of one of them. A request may have a mebibyte. */
const openedBytesMax = 262_144
const partBytesMax = 917_504
const attempted = 'Following changes'

export class FeedLink {
  readonly #recipient: Recipient
  readonly #context: PeerContext
  readonly #parts = new Map<number, LinkedPart>()
  /** Parts that the peer does not know yet. */
  readonly #opening = new Set<LinkedPart>()
  /** Parts that the peer has and that were closed here. */
  #closed: number[] = []
  #connection: PeerConnection | undefined
  #name = ''
  #count = 0
  #isAsking = false
  /** The peer may have the former token only. */
  #isFormer = false

  constructor(recipient: Recipient, context: PeerContext) {
    this.#recipient = recipient
    this.#context = context
  }

  /** Number of parts. */
  get size(): number {
    return this.#parts.size
  }

  /**
   * Has the peer serve a part.
   * @param ready called when its next() may return or throw something
   * @returns rejects with LatchkeyError: owner_unreachable, waits_exhausted, and what the peer says
   */
  async follow(options: PartOptions, ready: () => void): Promise<LinkedPart> {
    const bytes = sizeOf(options)
    if (bytes > partBytesMax) throw exhausted(`its keys take ${bytes} bytes. Follow fewer keys, or a prefix`)
    const keys = options.keys?.length ?? 0
    if (keys > partKeysMax) throw exhausted(`${keys} keys are followed at once. Follow ${partKeysMax}, or a prefix`)
    if (this.#parts.size >= linkPartsMax) throw exhausted(`${linkPartsMax} others are followed there already`)
    const part: LinkedPart = new LinkedPart(this.#count++, options, ready, () => this.#close(part))
    this.#parts.set(part.number, part)
    this.#opening.add(part)
    if (!this.#isAsking) void this.#ask()
    try {
      await deadline(part.opened, openMsMax, () => {
        throw this.#fault({ kind: 'unreachable', said: 'it did not answer in time' })
      })
    } catch (thrown) {
      part.close()
      throw thrown
    }
    return part
  }

  /** Ends all parts. */
  close(fault: PeerFault): void {
    this.#end(fault)
  }

  #close(part: LinkedPart): void {
    if (!this.#parts.delete(part.number)) return
    if (!this.#opening.delete(part)) this.#closed.push(part.number)
  }

  async #ask(): Promise<void> {
    this.#isAsking = true
    this.#name = crypto.randomUUID()
    // Those that come within one turn are opened together.
    await new Promise((resolve) => setImmediate(resolve))
    for (let turn = 0; this.#parts.size > 0 || this.#closed.length > 0; turn++) {
      const name = this.#name
      const answer = await this.#exchange(turn)
      // It was closed meanwhile, and perhaps begun again.
      if (name !== this.#name) return
      const fault = isFault(answer) ? answer : this.#take(answer)
      if (fault !== undefined) return this.#end(fault)
      await Bun.sleep(pauseMs)
      if (name !== this.#name) return
    }
    this.#end({ kind: 'unreachable', said: 'nothing is followed there any more' })
  }

  async #exchange(turn: number): Promise<LinkAnswer | PeerFault> {
    const { key } = this.#context
    const request = {
      link: this.#name,
      turn,
      holdMs: this.#parts.values().every(({ isWanted }) => isWanted) ? holdMs : busyHoldMs,
      opened: this.#takeOpening(),
      closed: this.#closed.splice(0, linkPartsMax),
      wanted: [...this.#parts.values()].filter((part) => part.takeWish()).map(({ number }) => number),
    }
    const write = (writer: Parameters<typeof writeLinkRequest>[0]) => writeLinkRequest(writer, request)
    const { bytes, body } = sealRequest(this.#recipient, 'feeds', write, this.#isFormer ? key.former : undefined)
    const outcome = await this.#send(bytes)
    const answer = isFault(outcome) ? outcome : openAnswer(this.#recipient, body, outcome, readLinkAnswer)
    if (isFault(answer)) {
      this.#isFormer = answer.isFormer === true && !this.#isFormer && key.former !== undefined
      if (answer.kind === 'refused') this.#context.refused()
    }
    return answer
  }

  #send(bytes: Uint8Array): Promise<PeerOutcome> {
    const { promise, resolve } = Promise.withResolvers<PeerOutcome>()
    const { tls, budget } = this.#context
    this.#connection ??= new PeerConnection(this.#recipient.address, tls, budget, () => {})
    const connection = this.#connection
    const late = () => connection.close({ kind: 'unreachable', said: 'it did not answer in time' })
    const timer = setTimeout(late, holdMs + answerMsMax)
    if (connection.isFree) connection.send(bytes, Infinity, resolve)
    else resolve({ kind: 'unreachable', said: 'it closed the connection' })
    return promise.finally(() => clearTimeout(timer))
  }

  #takeOpening(): Map<number, PartOptions> {
    const opened = new Map<number, PartOptions>()
    let bytes = 0
    for (const part of this.#opening) {
      bytes += sizeOf(part.options)
      if (bytes > openedBytesMax && opened.size > 0) break
      this.#opening.delete(part)
      opened.set(part.number, part.options)
    }
    return opened
  }

  /** @returns why the peer is not believed */
  #take({ isKnown, items, places }: LinkAnswer): PeerFault | undefined {
    if (!isKnown) return { kind: 'unreachable', said: 'it has forgotten what is followed there' }
    for (const item of items) {
      const part = this.#parts.get(item.part)
      // It was closed here meanwhile.
      if (part === undefined) continue
      if (item.type === 'opened') part.begun(item.resumed, item.place)
      if (item.type === 'batch' && !part.received(item.batch)) return liar
      if (item.type !== 'ended') continue
      this.#parts.delete(item.part)
      part.ended(item.error)
    }
    for (const [place, parts] of places) for (const number of parts) this.#parts.get(number)?.took(place)
    return undefined
  }

  #end(fault: PeerFault): void {
    const parts = [...this.#parts.values()]
    this.#parts.clear()
    this.#opening.clear()
    this.#closed = []
    this.#name = ''
    this.#isAsking = false
    this.#connection?.close(fault)
    this.#connection = undefined
    const error = this.#fault(fault)
    for (const part of parts) part.ended(error)
  }

  #fault(fault: PeerFault): LatchkeyError {
    return unreachable(attempted, this.#recipient.address.host, fault)
  }
}

const liar: PeerFault = { kind: 'unreachable', said: 'it sent changes that were not asked for' }

function sizeOf({ keys = [], prefix, partitions, seen }: PartOptions): number {
  const keyBytes = keys.reduce((sum, key) => sum + key.length + 4, 0)
  return 256 + keyBytes + (prefix?.length ?? 0) + partitions.length * 16 + seen.size * 12
}

function exhausted(found: string): LatchkeyError {
  return new LatchkeyError('waits_exhausted', `${attempted} at another instance: ${found}`)
}
