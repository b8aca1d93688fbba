/**
 * What a promise resolves with, or, where that takes longer than `ms`, what `late` returns or throws. What the promise waits for is not ended, and
 * its later failure is passed over.
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
