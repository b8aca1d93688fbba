/**
 * Starts a store thread: the one file of this folder that runs in other threads. It stands beside the entry point, for that is where the executable looks: there all
 * entry points are in one folder.
 */
export function startStoreThread(): Worker {
  return new Worker(new URL('./thread.ts', import.meta.url))
}
