import type { Lookup } from '../store-protocol/status.ts'
import type { StoreThreadHandle } from './store-thread-handle.ts'

/** Looks a key up in further threads, after the first one had to wait for a reader. */
export async function findLater(
  first: Promise<Lookup | undefined>,
  others: readonly StoreThreadHandle[],
  key: Uint8Array,
): Promise<Lookup | undefined> {
  let found = await first
  for (const handle of others) {
    if (found !== undefined) return found
    if (handle.state === 'running') found = await handle.reads.find(key)
  }
  return found
}
