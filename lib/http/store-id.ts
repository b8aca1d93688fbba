/** The store id in a path. */
import { LatchkeyError } from '../errors.ts'

/**
 * @param encoded as it is in the path; some clients percent-encode characters that need no encoding
 * @throws LatchkeyError store_not_found if it is the id of another store
 */
export function checkStoreId(encoded: string, id: string): void {
  if (encoded === id || decode(encoded) === id) return
  throw new LatchkeyError('store_not_found', `Looking for the store: this server has only ${id}`)
}

function decode(encoded: string): string | undefined {
  try {
    return decodeURIComponent(encoded)
  } catch {
    return undefined
  }
}
