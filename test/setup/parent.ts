const pollMs = 500

/**
 * Calls `onGone` when the npm that runs this script is gone, killed for example by a time limit: nobody waits for the result then.
 * Without npm nothing is watched, since whoever starts something in the background may leave.
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
