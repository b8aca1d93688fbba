/** Hedged requests: asks several brokers for something that each can answer, so that a silent one delays no request. */
import { deadline } from '../../deadline.ts'

/**
 * Asks the first peer, then another one each time that `afterMs` pass without a response. Returns the first response.
 * Rejects with the last failure once all peers asked so far have failed: a failure does not lead to the next peer.
 * @param late called with each peer that has not answered in time
 */
export async function hedged<Peer, T>(
  peers: Iterable<Peer>,
  ask: (peer: Peer) => Promise<T>,
  afterMs: number,
  late: (peer: Peer) => void = () => {},
): Promise<T> {
  const underWay: Promise<T>[] = []
  for (const peer of peers) {
    underWay.push(ask(peer))
    const settled = Promise.any(underWay).then(nothing, nothing)
    const isLate = await deadline(settled, afterMs, () => true)
    if (!isLate) break
    late(peer)
  }
  try {
    return await Promise.any(underWay)
  } catch (error) {
    throw (error as AggregateError).errors.at(-1)
  }
}

function nothing(): false {
  return false
}
