/** `latchkey dump`: prints all entries. */
import type { Arguments } from './arguments.ts'
import { wholeLines } from './lines.ts'
import { NoAnswer } from './no-answer.ts'
import { print } from './output.ts'
import type { StoreClient } from './store-client.ts'

const lineFeed = 10
/** Partitions that moved within a group meanwhile were begun again: `"restarted":[3]`. */
const end = /^\{"end":true,"entries":\d+(?:,"restarted":\[[\d,]+\])?\}$/

/**
 * The last line of the store's answer says that it is whole. It is left out: the exit code says it.
 * @returns the exit code
 */
export async function dump(client: StoreClient, { prefix }: Arguments): Promise<number> {
  const query = new URLSearchParams({ ...(prefix !== undefined && { prefix }) })
  const pieces = await client.getPieces('/stores', query, 'application/x-ndjson')
  let last: Uint8Array = new Uint8Array()
  for await (const lines of wholeLines(pieces)) {
    await print(last)
    const lastAt = lines.lastIndexOf(lineFeed, lines.length - 2) + 1
    await print(lines.subarray(0, lastAt))
    last = lines.subarray(lastAt)
  }
  if (end.test(Buffer.from(last).toString().trimEnd())) return 0
  await print(last)
  throw new NoAnswer(`Reading the entries of ${client.url}: the answer was cut; entries are missing`)
}
