/** A peer that serves feeds as a test says, with the envelopes of an instance. */
import type { LatchkeyError } from '../../../lib/errors.ts'
import {
  type LinkAnswer,
  type LinkRequest,
  readLinkRequest,
  writeLinkAnswer,
} from '../../../lib/routing/feeds/wire-links.ts'
import { HopKey } from '../../../lib/routing/hop.ts'
import type { ChangeId } from '../../../lib/store-protocol/change-id.ts'
import type { ChangeBatch } from '../../../lib/store-protocol/following.ts'
import { type FakePeer, responseOf, startFakePeer } from './fake-peer.ts'

export interface FakeLinkOptions {
  /** Undefined for a peer that does not sign. */
  readonly token?: string | undefined
  /** Who it says it is. */
  readonly memberId?: string
}

/** @param answer returns what is answered: bytes of a body or of all; undefined for nothing */
export function startFakeLink(
  answer: (request: LinkRequest) => LinkAnswer | Buffer | undefined,
  { token, memberId = 'member-fake' }: FakeLinkOptions = {},
): FakePeer {
  const key = new HopKey('orders', token)
  return startFakePeer((socket, bytes) => {
    const end = bytes.indexOf('\r\n\r\n') + 4
    // A lookup, or a probe.
    if (!bytes.subarray(0, end).includes('/feeds ')) return
    const opened = new HopKey('orders', undefined).open('feeds', bytes.subarray(end))
    const said = answer(readLinkRequest(opened.reader))
    if (said === undefined) return
    if (Buffer.isBuffer(said)) return void socket.write(said)
    const of = { status: 'answered', memberId, instanceId: 'fake', generation: 1, partitionCount: 4 } as const
    const writer = key.beginAnswer(of)
    writeLinkAnswer(writer, said)
    socket.write(responseOf(token === undefined ? opened.seal(writer) : key.seal(writer)))
  })
}

const begun: ChangeId = { topicId: 'topic', time: 1, positions: new Map([[1, 1]]) }

/** Opens all parts; what follows is of their first wish, and of the later ones. */
export function serving(
  batch: (part: number, wish: number) => ChangeBatch | undefined,
): (request: LinkRequest) => LinkAnswer {
  let wishes = 0
  return ({ opened, wanted }) => {
    const items = [...opened.keys()].map(
      (part) => ({ type: 'opened', part, resumed: undefined, place: begun }) as const,
    )
    const batches = wanted.flatMap((part) => {
      const given = batch(part, wishes++)
      return given === undefined ? [] : [{ type: 'batch', part, batch: given } as const]
    })
    return { isKnown: true, items: [...items, ...batches], places: new Map() }
  }
}

export function ending(error: LatchkeyError): (request: LinkRequest) => LinkAnswer {
  return ({ opened }) => {
    const items = [...opened.keys()].map((part) => ({ type: 'ended', part, error }) as const)
    return { isKnown: true, items, places: new Map() }
  }
}
