/** What readiness means, as named conditions. A broker outage is none of them: what is held can still be served. */
import { type Condition, type PartitionState, type PartitionStatus, type StoreState } from '../store-protocol/status.ts'
import { type StoreConfig } from '../store-protocol/store-config.ts'

export interface ConditionInput {
  state: StoreState
  readyWhen: StoreConfig['readyWhen']
  caughtUp: boolean
  /** Partitions that another instance has taken, with what is said about it. */
  fenced: ReadonlyMap<number, string>
  /** Partitions whose changelog something else goes on writing to. */
  contested: ReadonlyMap<number, string>
  /** Partitions that stopped at a record which cannot be stored; undefined where none ever does. */
  halted: ReadonlyMap<number, string> | undefined
  /** Partitions whose source has changed under the running store, with what is said about it. */
  rebuilding?: ReadonlyMap<number, string>
  failure: string | undefined
}

export function conditionsOf({
  state,
  readyWhen,
  caughtUp,
  fenced,
  contested,
  halted,
  rebuilding,
  failure,
}: ConditionInput): Condition[] {
  const recovered = state === 'running' || state === 'stopping'
  const conditions: Condition[] = [
    condition('not_failed', state !== 'failed', failure ?? 'the store has failed'),
    condition('not_stopping', state !== 'stopping', 'the store is stopping'),
    condition('recovered', recovered, `the store is ${state}`),
  ]
  if (readyWhen === 'caught-up') {
    conditions.push(condition('caught_up', caughtUp, 'the end that the source had at start has not been reached yet'))
  }
  conditions.push(condition('not_fenced', fenced.size === 0, [...fenced.values()].join(' · ')))
  conditions.push(condition('not_contested', contested.size === 0, [...contested.values()].join(' · ')))
  if (halted !== undefined) {
    conditions.push(condition('not_halted', halted.size === 0, [...halted.values()].join(' · ')))
  }
  if (rebuilding !== undefined && rebuilding.size > 0) {
    conditions.push(condition('not_rebuilding', false, [...rebuilding.values()].join(' · ')))
  }
  return conditions
}

/**
 * What is said about the partitions that are in a state. Shared memory tells the state before the message with the reason is here: what shows
 * it must not count as ready until then.
 */
export function reasonsOf(
  state: PartitionState,
  details: readonly PartitionStatus[],
  told: ReadonlyMap<number, string>,
): Map<number, string> {
  const reasons = new Map(told)
  for (const one of details) {
    if (one.state !== state || reasons.has(one.partition)) continue
    reasons.set(one.partition, `partition ${one.partition} is ${state}, why is not known yet`)
  }
  return reasons
}

function condition(name: string, ok: boolean, reason: string): Condition {
  return ok ? { name, ok } : { name, ok, reason }
}
