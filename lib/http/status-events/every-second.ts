/** One timer for all stores that a thread serves. It keeps none of them in memory, nor the process running. */

export interface Ticking {
  tick(): void
}

const intervalMs = 1_000
const ticking = new Set<WeakRef<Ticking>>()
let timer: Timer | undefined

/** Calls `tick` once a second, as long as something else uses the object. */
export function everySecond(one: Ticking): void {
  ticking.add(new WeakRef(one))
  timer ??= setInterval(tickAll, intervalMs).unref()
}

function tickAll(): void {
  for (const reference of ticking) {
    const one = reference.deref()
    if (one === undefined) ticking.delete(reference)
    else one.tick()
  }
  if (ticking.size > 0) return
  clearInterval(timer)
  timer = undefined
}
