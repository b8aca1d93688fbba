import { LatchkeyError } from '../errors.ts'
import type { MissedKey } from './key-result.ts'

/** Returns the error for a key that does not exist: what holds for the copy that was read is in its details. */
export function keyNotFound(attempted: string, { caughtUp, isHalted, partition, lag }: MissedKey): LatchkeyError {
  const found = `the store holds no record under the key${caughtUp ? '' : ' yet'}`
  const details = { caughtUp, ...(isHalted && { halted: true }), partition, ...(lag !== undefined && { lag }) }
  return new LatchkeyError('key_not_found', `${attempted}: ${found}`, { details })
}
