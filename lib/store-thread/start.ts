/**
 * Starts a store thread. This is the only file of this folder that runs in another thread. It is next to thread.ts
 * because the executable has all its entry points in one folder.
 */
export function startStoreThread(): Worker {
  return new Worker(new URL('./thread.ts', import.meta.url))
}
