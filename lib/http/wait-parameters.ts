/** What a lookup says about waiting: `?min-offset=` and the header `Prefer: wait=` (RFC 7240). */
import { LatchkeyError } from '../errors.ts'

const parameter = 'min-offset='
export const offsetsMax = 1_000
export const waitSecondsMax = 60

/** Whether a request may ask for a wait. Nearly none does. */
export function mayWait(prefer: string | null, target: string): boolean {
  return prefer !== null || namesOffsets(target)
}

/** Whether a request may name offsets that have to be visible. */
export function namesOffsets(target: string): boolean {
  return target.includes(parameter)
}

/**
 * Returns the source offsets that must be visible, by partition; undefined if the request names none.
 *
 * @throws LatchkeyError invalid_parameter
 */
export function minOffsetsOf(target: string): ReadonlyMap<number, number> | undefined {
  const query = target.indexOf('?')
  if (query < 0) return undefined
  const given = target
    .slice(query + 1)
    .split('&')
    .filter((pair) => pair.startsWith(parameter))
  if (given.length === 0) return undefined
  if (given.length > offsetsMax) {
    throw invalid(`min-offset is given ${given.length} times; give it ${offsetsMax} times at most`)
  }
  const offsets = new Map<number, number>()
  for (const pair of given) {
    const [, partition, offset] = /^(\d{1,10})(?::|%3a)(\d{1,15})$/i.exec(pair.slice(parameter.length)) ?? []
    if (partition === undefined || offset === undefined) {
      throw invalid('min-offset is not a partition and an offset of the source topic, such as min-offset=3:12345')
    }
    offsets.set(Number(partition), Math.max(Number(offset), offsets.get(Number(partition)) ?? 0))
  }
  return offsets
}

/** Returns the seconds that a client is willing to wait, within our bound; undefined if it does not say. */
export function preferredWaitOf(prefer: string | null): number | undefined {
  for (const preference of prefer?.split(',') ?? []) {
    const [, seconds] = /^wait="?(\d{1,9})"?$/i.exec(preference.split(';')[0]!.replaceAll(' ', '')) ?? []
    if (seconds !== undefined) return Math.min(Number(seconds), waitSecondsMax)
  }
  return undefined
}

function invalid(found: string): LatchkeyError {
  return new LatchkeyError('invalid_parameter', `Looking up a key: ${found}`)
}
