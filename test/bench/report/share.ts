/** Lookups that a thread has answered, and what it did meanwhile, in milliseconds. */
export interface ThreadLoad {
  lookups: number
  ranMs: number
  /** It was ready to run, without a processor. */
  waitedMs: number
  wallMs: number
}

/** A thread that is idle for longer leaves that time to others, who may well take it. */
const idleShareMax = 0.1

/**
 * The share of a thread that something else takes: what the lookups lose for the same processor time of the thread. By its
 * processor time, so that a thread that waits for a processor does not count as one that does something else.
 *
 * @returns undefined if the lookups alone did not keep the thread busy: then it had time left that they do not lose
 */
export function shareOf(alone: ThreadLoad, beside: ThreadLoad): number | undefined {
  if (idleShareOf(alone) > idleShareMax) return undefined
  return 1 - (beside.lookups / beside.ranMs) * (alone.ranMs / alone.lookups)
}

export function idleShareOf({ ranMs, waitedMs, wallMs }: ThreadLoad): number {
  return 1 - (ranMs + waitedMs) / wallMs
}
