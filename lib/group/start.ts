/**
 * Starts the group thread. This is the only file of this folder that runs in another thread, besides those that are plain
 * data and functions.
 */
export function startGroupThread(): Worker {
  return new Worker(new URL('./group-thread.ts', import.meta.url))
}
