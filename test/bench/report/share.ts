/** Lookups that a thread has answered, and the processor time that it has taken meanwhile. */
export interface ThreadLoad {
  lookups: number
  threadMs: number
}

/**
 * The share of a thread that something else takes: what the lookups lose for the same processor time of the thread. By its
 * processor time, so that a thread that waits for a processor does not count as one that does something else.
 */
export function shareOf(alone: ThreadLoad, beside: ThreadLoad): number {
  return 1 - (beside.lookups / beside.threadMs) * (alone.threadMs / alone.lookups)
}
