/**
 * Resolves like the promise, or with the result of `late` if that takes longer than `ms`. `late` may throw. The work
 * behind the promise continues, and a later rejection is ignored.
 */
export async function deadline<T, Late = never>(promise: Promise<T>, ms: number, late: () => Late): Promise<T | Late> {
  const { promise: passed, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  try {
    return await Promise.race([promise, passed.then(late)])
  } finally {
    clearTimeout(timer)
  }
}
