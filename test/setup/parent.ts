const pollMs = 500

/**
 * Calls `onGone` when the npm that runs this script has ended, for example killed by a time limit: nothing waits for the result then.
 * Without npm nothing is watched, because a shell that starts a background process may end before it.
 */
export function watchNpm(onGone: () => void): void {
  if (!process.env['npm_lifecycle_event']) return
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    onGone()
  }, pollMs)
  timer.unref()
}
