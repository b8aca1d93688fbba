/** Progress of a partition until it has reached the end that its source had at start, in shared memory. */
import { partitionStateOf } from './partition-state.ts'
import type { StatsView } from './stats-view.ts'
import type { Stats } from './stats.ts'
import { type RecoveryPhase, recoveryPhases } from './status.ts'

export interface PhaseProgress {
  phase: RecoveryPhase
  done: number
  total: number
}

/** @param start, end offsets, or counts of keys */
export function beginPhase(
  stats: Stats,
  partition: number,
  phase: Exclude<RecoveryPhase, 'recovering'>,
  { start, end }: { start: number; end: number },
): void {
  stats.setGauge(partition, 'phaseStart', start)
  stats.setGauge(partition, 'phasePosition', start)
  stats.setGauge(partition, 'phaseEnd', end)
  stats.setGauge(partition, 'phase', recoveryPhases.indexOf(phase))
}

/** Returns the progress of a partition. Figures that are not known yet count as 0. */
export function phaseProgressOf(stats: StatsView, partition: number): PhaseProgress {
  const phase = recoveryPhases[stats.gauge(partition, 'phase')] ?? 'recovering'
  const of = phase === 'recovering' ? 'recovery' : 'phase'
  const start = Math.max(stats.gauge(partition, `${of}Start`), 0)
  const total = Math.max(stats.gauge(partition, `${of}End`) - start, 0)
  return { phase, total, done: Math.max(stats.gauge(partition, `${of}Position`) - start, 0) }
}

/** Returns the halted partitions if no other partition is behind: then nothing proceeds. Else returns an empty list. */
export function haltedRemaining(stats: StatsView): number[] {
  const left = stats.partitions.filter((partition) => {
    const { done, total } = phaseProgressOf(stats, partition)
    return done < total
  })
  return left.every((partition) => partitionStateOf(stats, partition) === 'halted') ? left : []
}
