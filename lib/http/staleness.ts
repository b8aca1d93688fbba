/**
 * Bound on the lag of a response: `?max-lag=N`, in records. Applies to replicas only: the lag of a primary does not
 * count.
 */
import { LatchkeyError } from '../errors.ts'
import type { StoreStatus } from '../store-protocol/status.ts'
import { counted } from '../text/counted.ts'

const parameter = 'max-lag='

/**
 * Returns the bound that the request gives, or undefined without one.
 *
 * @throws LatchkeyError invalid_parameter
 */
export function maxLagOf(target: string): number | undefined {
  const query = target.indexOf('?')
  // A query of many keys is split only if it may have the parameter.
  if (query < 0 || !target.includes(parameter, query)) return undefined
  const found = target
    .slice(query + 1)
    .split('&')
    .find((pair) => pair.startsWith(parameter))
  if (found === undefined) return undefined
  const text = found.slice(parameter.length)
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new LatchkeyError(
    'invalid_parameter',
    'Looking up a key: max-lag is not a whole number of records, such as max-lag=100',
  )
}

/** @param lag null if it is unknown, which exceeds every bound; undefined for a primary, which exceeds none */
export function isStale(lag: number | null | undefined, maxLag: number | undefined): boolean {
  return maxLag !== undefined && lag !== undefined && (lag === null || lag > maxLag)
}

/** Whether a replica exceeds the bound: what is missing may be in a record that the replica has not copied yet. */
export function isMissStale({ details }: StoreStatus, maxLag: number | undefined): boolean {
  return details.some(({ role, lag }) => role === 'replica' && isStale(lag, maxLag))
}

/**
 * @param lag null if it is unknown, which exceeds every bound
 * @throws LatchkeyError too_stale
 */
export function refuseStale(lag: number | null, maxLag: number | undefined): void {
  if (isStale(lag, maxLag)) throw tooStale(lag, maxLag)
}

/** @param lag of a replica, which exceeds the bound */
export function tooStale(lag: number | null, maxLag: number | undefined): LatchkeyError {
  const found = lag === null ? 'its lag is not known now' : `it is ${counted(lag, 'record')} behind`
  const message = `Looking up a key: it is held as a replica here, and ${found}; ${maxLag} were allowed`
  return new LatchkeyError('too_stale', message, { details: { lag, maxLag } })
}

/**
 * Refuses a miss if a replica exceeds the bound: the key may be in a record that the replica has not copied yet.
 *
 * @throws LatchkeyError too_stale
 */
export function refuseStaleMiss({ details }: StoreStatus, maxLag: number | undefined): void {
  if (maxLag === undefined) return
  for (const { role, lag } of details) if (role === 'replica') refuseStale(lag, maxLag)
}
