const pollMs = 5
const limitMsDefault = 40_000

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
