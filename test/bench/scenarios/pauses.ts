/** Longest pauses of lookups, of the store and of the constant answer beside it, as figures of the table. */
import type { Pauses } from '../load/pauses.ts'
import type { MetricName } from '../report/metrics.ts'
import { limit, type Results } from '../report/results.ts'

export interface PauseMetrics {
  whole: MetricName
  /** Without the time in which the machine itself stood still. */
  own: MetricName
}

export function addPauses(results: Results, contender: string, { whole, own }: PauseMetrics, pauses: Pauses): void {
  results.add(contender, { [whole]: pauses.pauseMs, [own]: pauses.ownMs })
  results.add(limit, { [whole]: pauses.noiseMs, [own]: pauses.noiseOwnMs, standstill: pauses.standstillMs })
}
