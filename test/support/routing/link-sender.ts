/** Asks an instance for feeds as another instance would, or as one should not. */
import {
  type LinkAnswer,
  type LinkRequest,
  readLinkAnswer,
  writeLinkRequest,
} from '../../../lib/routing/feeds/wire-links.ts'
import { HopKey } from '../../../lib/routing/hop.ts'
import type { HopWriter } from '../../../lib/routing/wire-bytes.ts'
import type { Instance } from './instances.ts'

export const aPart = {
  partitions: [0],
  seen: new Map<number, number>(),
  from: 'now',
  withValues: true,
  keysOnly: false,
} as const

export class LinkSender {
  readonly #to: Instance
  readonly #key: HopKey

  constructor(to: Instance, token?: string) {
    this.#to = to
    this.#key = new HopKey('orders', token)
  }

  /** Returns a signed request. */
  sealed(request: Partial<LinkRequest>, fromMemberId = 'member-b'): Uint8Array<ArrayBuffer> {
    const all = { link: 'link', turn: 0, holdMs: 0, opened: new Map(), closed: [], wanted: [], ...request }
    return this.written((writer) => writeLinkRequest(writer, all), fromMemberId)
  }

  /** Returns a signed request with other bytes. */
  written(write: (writer: HopWriter) => void, fromMemberId = 'member-b'): Uint8Array<ArrayBuffer> {
    const memberId = `member-${this.#to.name}`
    const writer = this.#key.begin('feeds', { memberId, fromMemberId, generation: 1, partitionCount: 4 })
    write(writer)
    return this.#key.seal(writer)
  }

  post(body: Uint8Array<ArrayBuffer>): Promise<Response> {
    const headers = { 'content-type': 'application/vnd.latchkey.group' }
    return fetch(`${this.#to.server.url}/group/orders/feeds`, { method: 'POST', headers, body })
  }

  async send(body: Uint8Array<ArrayBuffer>): Promise<LinkAnswer> {
    const response = await this.post(body)
    if (!response.ok) throw new Error(await response.text())
    const { reader } = this.#key.openAnswer(await response.bytes(), body)
    return readLinkAnswer(reader)
  }

  async ask(request: Partial<LinkRequest>, fromMemberId?: string): Promise<LinkAnswer> {
    return this.send(this.sealed(request, fromMemberId))
  }
}
