/**
 * Starts a store thread. This is the only file of this folder that runs in another thread. It is next to thread.ts
 * because the executable has all its entry points in one folder.
 */

/** A thread that has got no message yet. */
let ahead: Worker | undefined

/**
 * Starts a store thread before it is known what it has to do, so that it loads its modules beside this thread. The next
 * startStoreThread() returns it. Until then it keeps no process running.
 */
export function startAhead(): void {
  const worker = newThread()
  worker.unref()
  worker.addEventListener('close', () => {
    if (ahead === worker) ahead = undefined
  })
  ahead = worker
}

export function startStoreThread(): Worker {
  const worker = ahead ?? newThread()
  if (worker === ahead) worker.ref()
  ahead = undefined
  return worker
}

function newThread(): Worker {
  return new Worker(new URL('./thread.ts', import.meta.url))
}
