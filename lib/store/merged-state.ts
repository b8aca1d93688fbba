import type { StoreState } from '../store-protocol/status.ts'
import type { StoreThreadHandle } from './store-thread-handle.ts'

/** Returns the state of a store from those of its threads, the initial ones and those of added partitions. */
export function mergedState(base: readonly StoreThreadHandle[], added: readonly StoreThreadHandle[]): StoreState {
  const states = base.map(({ state }) => state)
  if (states.includes('failed') || added.some(({ state }) => state === 'failed')) return 'failed'
  if (states.includes('stopping')) return 'stopping'
  if (states.every((state) => state === 'running')) return 'running'
  // The first thread has inspected the topics before the others start.
  return states.every((state) => state === 'starting') ? 'starting' : 'recovering'
}
