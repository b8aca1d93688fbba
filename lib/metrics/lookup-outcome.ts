/** How a lookup that found nothing, or failed, is counted. */
import { type ErrorCode, LatchkeyError } from '../errors.ts'
import type { LookupOutcome } from './lookup-stats.ts'

export function outcomeOf(thrown: unknown): LookupOutcome {
  return thrown instanceof LatchkeyError ? outcomeOfCode(thrown.code) : 'failed'
}

export function outcomeOfCode(code: ErrorCode): LookupOutcome {
  switch (code) {
    case 'invalid_key':
    case 'not_acceptable':
    case 'recovering':
    case 'readers_exhausted':
    case 'partition_not_held':
    case 'too_stale':
      return code
    case 'rebuilding':
    case 'replica_recovering':
      return 'recovering'
    case 'key_not_found':
    case 'store_not_found':
      return 'not_found'
    default:
      return 'failed'
  }
}
