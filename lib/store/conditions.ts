/** Readiness as named conditions. A broker outage is not one of them: the store still serves what it holds. */
import type { Condition, PartitionState, PartitionStatus, StoreState } from '../store-protocol/status.ts'
import type { StoreConfig } from '../store-protocol/store-config.ts'

/** Partitions that a reason names; a topic may have thousands. */
const partitionsNamedMax = 20

export interface ConditionInput {
  state: StoreState
  readyWhen: StoreConfig['readyWhen']
  caughtUp: boolean
  /** Partitions that another instance has taken, with the reason as text. */
  fenced: ReadonlyMap<number, string>
  /** Partitions whose changelog another writer keeps writing to, with the reason as text. */
  contested: ReadonlyMap<number, string>
  /**
   * Partitions that stopped at a record that cannot be stored, with the reason as text; undefined if partitions never
   * stop.
   */
  halted: ReadonlyMap<number, string> | undefined
  /** Partitions whose source has changed while the store runs, with the reason as text. */
  rebuilding?: ReadonlyMap<number, string>
  /** Why nothing more is read; undefined while there is room in memory. */
  full?: string | undefined
  failure: string | undefined
  /** Why the process stops soon; undefined if it does not. */
  leaving?: string | undefined
  /** Of the group that assigns the partitions; empty without one. */
  group?: readonly Condition[]
  /** What Kafka's clients wait for, with partitions; undefined if nothing fails. */
  trouble?: string | undefined
}

export function conditionsOf({
  state,
  readyWhen,
  caughtUp,
  fenced,
  contested,
  halted,
  rebuilding,
  full,
  failure,
  leaving,
  group = [],
  trouble,
}: ConditionInput): Condition[] {
  const recovered = state === 'running' || state === 'stopping'
  const waiting = trouble === undefined ? '' : `; ${trouble}`
  const conditions: Condition[] = [
    condition('not_failed', state !== 'failed', failure ?? 'the store has failed'),
    condition('not_stopping', state !== 'stopping' && leaving === undefined, leaving ?? 'the store is stopping'),
    condition('recovered', recovered, `the store is ${state}${state === 'failed' ? '' : waiting}`),
  ]
  if (readyWhen === 'caught-up') {
    // Before recovery ends, that condition says what is waited for.
    const behind = `the end that the source had at start is not reached yet${recovered ? waiting : ''}`
    // A full store may never catch up. It serves what it has, as one that became full later does.
    conditions.push(condition('caught_up', caughtUp || full !== undefined, behind))
  }
  conditions.push(condition('not_fenced', fenced.size === 0, summaryOf(fenced)))
  conditions.push(condition('not_contested', contested.size === 0, summaryOf(contested)))
  if (halted !== undefined) {
    conditions.push(condition('not_halted', halted.size === 0, summaryOf(halted)))
  }
  if (rebuilding !== undefined && rebuilding.size > 0) {
    conditions.push(condition('not_rebuilding', false, summaryOf(rebuilding)))
  }
  conditions.push(...group)
  conditions.push({ name: 'memory', ok: true, ...(full !== undefined && { reason: full }) })
  return conditions
}

/**
 * Returns reasons for the partitions in a state. Shared memory shows the state before the message with the reason
 * arrives. Until then a partition gets a default reason, because it must not count as ready.
 */
export function reasonsOf(
  state: PartitionState,
  details: readonly PartitionStatus[],
  received: ReadonlyMap<number, string>,
): Map<number, string> {
  const reasons = new Map(received)
  for (const detail of details) {
    if (detail.state !== state || reasons.has(detail.partition)) continue
    reasons.set(detail.partition, `partition ${detail.partition} is ${state}; the reason is not known yet`)
  }
  return reasons
}

/** Of partitions whose reasons are the same but for their numbers, one is written out. */
export function summaryOf(reasons: ReadonlyMap<number, string>): string {
  const alike = new Map<string, { reason: string; others: number[] }>()
  for (const [partition, reason] of [...reasons].toSorted(([a], [b]) => a - b)) {
    const kind = reason.replaceAll(/\bpartition \d+/g, 'partition')
    const known = alike.get(kind)
    if (known === undefined) alike.set(kind, { reason, others: [] })
    else known.others.push(partition)
  }
  return [...alike.values()].map(({ reason, others }) => `${reason}${sameFor(others)}`).join(' · ')
}

function sameFor(partitions: readonly number[]): string {
  if (partitions.length === 0) return ''
  const named = partitions.slice(0, partitionsNamedMax).join(', ')
  const more = partitions.length - partitionsNamedMax
  return ` (the same for ${partitions.length === 1 ? 'partition' : 'partitions'} ${named}${more > 0 ? ` and ${more} others` : ''})`
}

function condition(name: Condition['name'], ok: boolean, reason: string): Condition {
  return ok ? { name, ok } : { name, ok, reason }
}
