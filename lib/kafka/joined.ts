/**
 * Joins what is asked of one broker in the same turn into one request. A store asks for each of its partitions by
 * itself, and a broker answers the requests of a connection one after another: a start of 500 partitions would wait for
 * 500 responses in a row.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'

/** @returns the answers in the order of the items */
type Send<Item, Answer> = (items: readonly Item[]) => Promise<readonly Answer[]>

interface Joining {
  readonly items: unknown[]
  readonly answers: Promise<readonly unknown[]>
}

/** Requests that are not sent yet, by what they can be joined for. */
const joining = new WeakMap<object, Map<string, Joining>>()

/**
 * Returns the answer to one item. Rejects with the failure of the request, which all its items share.
 * @param asker sends the request: a client, or a part of it
 * @param kind equal for items that one request can ask for
 * @param send the same for every item of a kind; may get equal items
 */
export async function joined<Item, Answer>(
  asker: object,
  kind: string,
  item: Item,
  send: Send<Item, Answer>,
): Promise<Answer> {
  const ofAsker = joining.get(asker) ?? new Map<string, Joining>()
  joining.set(asker, ofAsker)
  let request = ofAsker.get(kind)
  if (request === undefined) {
    const items: Item[] = []
    const sent = async () => {
      await nextTurn()
      ofAsker.delete(kind)
      return send(items)
    }
    request = { items, answers: sent() }
    ofAsker.set(kind, request)
  }
  const place = request.items.push(item) - 1
  return (await request.answers)[place] as Answer
}
