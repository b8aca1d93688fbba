/** Asking several brokers for one thing that each of them can answer, so that one that is silent holds up nobody. */
import { deadline } from '../../deadline.ts'

/**
 * Asks the first, and another one as well each time that there is no answer for `afterMs`. The first answer counts. Rejects with the last failure once
 * all that were asked have failed: a failure is no reason to ask the next.
 * @param late called with each that has not answered in time
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
