const pollMs = 5
const limitMsDefault = 40_000
/** For what no broker or other process is needed. */
const soonMsDefault = 20_000

/** Waits for a condition; `what` names it in the error when it does not come. What the condition throws ends the waiting. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  limitMs = limitMsDefault,
): Promise<void> {
  const deadline = performance.now() + limitMs
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`wait until ${what}: not within ${limitMs} ms`)
    await Bun.sleep(pollMs)
  }
}

/** A promise that has to be settled soon; `what` names in the error what does not come. */
export async function soon<T>(what: string, coming: Promise<T>, limitMs = soonMsDefault): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`wait for ${what}: not within ${limitMs} ms`)), limitMs)
  try {
    return await Promise.race([coming, promise])
  } finally {
    clearTimeout(timer)
  }
}
