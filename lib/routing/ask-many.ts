/** Asks one member for many keys. */
import { LatchkeyError } from '../errors.ts'
import { answerBytesMax } from './answer-wide.ts'
import type { GroupAsker } from './group-asker.ts'
import type { KeyResult } from './key-result.ts'
import type { ManyResult } from './wide-operations.ts'

/** Of the keys of one request: less than a server takes of a body. */
const requestBytesMax = 400_000
/** Bound of the values of one member, where it has few of the keys. */
const shareBytesMin = 65_536

export interface MemberKeys {
  readonly keys: readonly Uint8Array[]
  readonly bytesMax: number
  /** As ManyOperation.searched. */
  readonly searched?: readonly number[]
}

/**
 * Long lists of keys take several requests, one after the other; the epoch is then that of the last one.
 *
 * @throws LatchkeyError owner_unreachable, and what the member answers instead; as a rejection
 */
export async function askMany(
  asker: GroupAsker,
  member: string,
  { keys, bytesMax, searched }: MemberKeys,
  timeoutMs: number,
): Promise<Pick<ManyResult, 'epoch' | 'results'>> {
  const all: KeyResult[] = []
  let epoch = 0
  for (const some of inRequests(keys)) {
    const bounds = { bytesMax: Math.min(bytesMax, answerBytesMax), ...(searched && { searched }) }
    const answer = await asker.ask(member, { type: 'many', keys: some, ...bounds }, timeoutMs)
    if (answer.results.length !== some.length) {
      const found = `${asker.nameOf(member)} has answered ${answer.results.length} of ${some.length} keys`
      throw new LatchkeyError('owner_unreachable', `${asker.attempted}: ${found}`)
    }
    all.push(...answer.results)
    ;({ epoch } = answer)
  }
  return { epoch, results: all }
}

/** Returns what of a bound belongs to one of the members that are asked, so that all together stay near it. */
export function shareOf(bytesMax: number, part: number): number {
  return bytesMax === 0 ? 0 : Math.max(shareBytesMin, bytesMax * part)
}

function* inRequests(keys: readonly Uint8Array[]): Generator<readonly Uint8Array[]> {
  let from = 0
  let bytes = 0
  for (const [index, key] of keys.entries()) {
    if (index > from && bytes + key.length > requestBytesMax) {
      yield keys.slice(from, index)
      ;[from, bytes] = [index, 0]
    }
    bytes += key.length + Uint32Array.BYTES_PER_ELEMENT
  }
  if (from < keys.length) yield keys.slice(from)
}
