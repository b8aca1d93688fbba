import { deadline } from '../../lib/deadline.ts'

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
  const latest = performance.now() + limitMs
  while (!(await condition())) {
    if (performance.now() > latest) throw new Error(`wait until ${what}: not within ${limitMs} ms`)
    await Bun.sleep(pollMs)
  }
}

/** A promise that has to be settled soon; `what` names in the error what does not come. */
export function soon<T>(what: string, coming: Promise<T>, limitMs = soonMsDefault): Promise<T> {
  return deadline(coming, limitMs, () => {
    throw new Error(`wait for ${what}: not within ${limitMs} ms`)
  })
}
