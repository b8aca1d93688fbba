/** Progress, recent rate and estimated rest of recovery, a rebuild or catching up, from the shared counters. */
import { phaseProgressOf } from '../store-protocol/recovery-phase.ts'
import type { StatsView } from '../store-protocol/stats-view.ts'
import { type RecoveryPhase, recoveryPhases, type RecoveryProgress } from '../store-protocol/status.ts'

/** Window of the rate if it is read often; otherwise the rate goes back to the previous sample. */
const windowMs = 5_000
const sampleIntervalMs = 250
/**
 * Time without progress after which a phase counts as held up: all is read and the phase has not ended. It waits for
 * something, such as an offline partition.
 */
const heldUpMs = 2_000

/**
 * Time for which a result is returned again. Every refused lookup reads the progress: with many partitions, a sum for
 * each of them would take the processor from the recovery.
 */
const freshMs = 100

interface ProgressSample {
  at: number
  done: number
  records: number
}

export class ProgressMeter {
  readonly #now: () => number
  #phase: RecoveryPhase = 'recovering'
  /**
   * Samples of this phase, the oldest first: one from its beginning or from before the window, and those in the window.
   */
  #samples: ProgressSample[]
  /** Time since when the phase has read everything; undefined while there is more. */
  #doneSince: number | undefined
  #last: { at: number; stats: StatsView; progress: RecoveryProgress } | undefined

  /** @param now clock in milliseconds, for tests */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
    this.#samples = [{ at: now(), done: 0, records: 0 }]
  }

  start(): void {
    this.#last = undefined
    this.#begin('recovering', { at: this.#now(), done: 0, records: 0 })
  }

  read(stats: StatsView): RecoveryProgress {
    const at = this.#now()
    if (this.#last === undefined || this.#last.stats !== stats || at - this.#last.at >= freshMs) {
      this.#last = { at, stats, progress: this.#read(stats, at) }
    }
    return this.#last.progress
  }

  #read(stats: StatsView, at: number): RecoveryProgress {
    const { phase, done, total } = together(stats)
    const { records, bytes } = countsOf(stats, phase, done)
    const now = { at, done, records }
    if (phase !== this.#phase) this.#begin(phase, now)
    const before = this.#sample(now)
    const seconds = (now.at - before.at) / 1000
    const perSecond = (amount: number) => (seconds > 0 ? Math.max(amount, 0) / seconds : 0)
    const rate = perSecond(done - before.done)
    const isDone = done > 0 && done >= total
    this.#doneSince = isDone ? (this.#doneSince ?? now.at) : undefined
    const isHeldUp = this.#doneSince !== undefined && now.at - this.#doneSince >= heldUpMs
    const percent = total === 0 ? 0 : Math.min(Math.round((1000 * done) / total) / 10, 100)
    return {
      phase,
      records,
      bytes,
      recordsPerSecond: Math.round(perSecond(records - before.records)),
      percent: isHeldUp ? Math.min(percent, 99.9) : percent,
      remainingSeconds: isDone
        ? isHeldUp
          ? null
          : 0
        : rate === 0
          ? null
          : Math.round((10 * (total - done)) / rate) / 10,
    }
  }

  #begin(phase: RecoveryPhase, first: ProgressSample): void {
    this.#phase = phase
    this.#doneSince = undefined
    this.#samples = [first]
  }

  /** @returns the sample from which the rate is computed */
  #sample(now: ProgressSample): ProgressSample {
    const samples = this.#samples
    while (samples.length > 1 && samples[1]!.at <= now.at - windowMs) samples.shift()
    const before = samples[0]!
    if (now.at - samples.at(-1)!.at >= sampleIntervalMs) samples.push(now)
    return before
  }
}

/** Returns the first phase that some partition is still in, summed over all partitions in it. */
function together(stats: StatsView): { phase: RecoveryPhase; done: number; total: number } {
  const sums = recoveryPhases.map((phase) => ({ phase, done: 0, total: 0 }))
  for (const partition of stats.partitions) {
    const { phase, done, total } = phaseProgressOf(stats, partition)
    const sum = sums[recoveryPhases.indexOf(phase)]!
    sum.done += Math.min(done, total)
    sum.total += total
  }
  return sums.find(({ done, total }) => done < total) ?? sums.findLast(({ total }) => total > 0) ?? sums[0]!
}

function countsOf(stats: StatsView, phase: RecoveryPhase, done: number): { records: number; bytes: number } {
  if (phase === 'deleting') return { records: done, bytes: 0 }
  return phase === 'recovering'
    ? { records: stats.count('recordsRecovered'), bytes: stats.count('bytesRecovered') }
    : { records: stats.count('recordsConsumed'), bytes: stats.count('bytesConsumed') }
}
