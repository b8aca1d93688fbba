/** What Latchkey is held to, and what of it was missed. */
import { type MetricName, metrics, textOf } from './metrics.ts'
import type { Results } from './results.ts'

export interface Wanted {
  metric: MetricName
  /** Whose median the ratio is to; absent: the median itself is what counts. */
  against?: string
  atLeast?: number
  atMost?: number
}

export const subject = 'Latchkey'

export const wanted: readonly Wanted[] = [
  { metric: 'ingest', against: 'streex', atLeast: 30 },
  { metric: 'ingest', against: 'Kafka Streams', atLeast: 2.5 },
  { metric: 'recovery', against: 'streex', atLeast: 3 },
  { metric: 'recovery', against: 'Kafka Streams', atLeast: 1.7 },
  { metric: 'recoveryOwn', against: 'streex', atLeast: 3 },
  { metric: 'recoveryOwn', against: 'Kafka Streams', atLeast: 1.7 },
  { metric: 'lookups', against: 'streex', atLeast: 1.5 },
  { metric: 'besideRatio', atMost: 5 },
  { metric: 'memory', against: 'streex', atMost: 0.6 },
  { metric: 'memoryLarge', against: 'streex', atMost: 0.6 },
  { metric: 'memoryEntry5', atMost: 245 },
  { metric: 'firstAnswer', against: 'streex', atMost: 1 },
  { metric: 'scaleIngest', atMost: 1.3 },
  { metric: 'scaleRecovery', atMost: 1.3 },
  { metric: 'scaleLookup', atMost: 1.3 },
  { metric: 'scaleMemory', atMost: 1.3 },
  { metric: 'growthPause', atMost: 20 },
  { metric: 'cleaningPause', atMost: 20 },
  { metric: 'pacedPause', atMost: 20 },
  { metric: 'restartRatio', atMost: 5 },
  { metric: 'snapshotRestart', atMost: 0.25 },
  { metric: 'snapshotRestartLarge', atMost: 0.15 },
  { metric: 'writingP99Ratio', atMost: 1.2 },
  { metric: 'writingIngestRatio', atLeast: 0.9 },
  { metric: 'endlessGrowth', atMost: 1.1 },
  { metric: 'readsKeysGain', atLeast: 4 },
  { metric: 'readsQueryGain', atLeast: 4 },
  { metric: 'dumpRatio', atMost: 0.25 },
  { metric: 'dumpShare', atMost: 0.5 },
  { metric: 'dumpIngestShare', atMost: 0.5 },
  { metric: 'followersMemory', atMost: 50 },
  { metric: 'waitersMemory', atMost: 50 },
  { metric: 'followersWakeRatio', atMost: 3 },
  { metric: 'waitersWakeRatio', atMost: 3 },
  { metric: 'groupLookups', atLeast: 0.97 },
  { metric: 'groupLookupsProcessor', atLeast: 0.97 },
  { metric: 'groupIngest', atLeast: 0.97 },
  { metric: 'groupIngestProcessor', atLeast: 0.97 },
  { metric: 'groupRecovery', atLeast: 0.95 },
  { metric: 'groupRecoveryProcessor', atLeast: 0.95 },
  { metric: 'forwardedCost', atMost: 3.5 },
  { metric: 'forwardedSignedCost', atMost: 3.5 },
  { metric: 'respSingle', against: 'Redis', atMost: 1.25 },
  { metric: 'respPipelined', against: 'Redis', atMost: 2 },
  { metric: 'respMany', against: 'Redis', atMost: 2 },
]

export function textOfWanted({ metric, against, atLeast, atMost }: Wanted): string {
  const bound = atLeast === undefined ? `≤ ${atMost}` : `≥ ${atLeast}`
  const { unit } = metrics[metric]
  if (against !== undefined) return `${bound} × ${against}`
  return unit === 'ratio' ? bound : `${bound} ${unit}`
}

export interface Miss {
  wanted: Wanted
  found: number
}

/** Those that were measured and are not met. What was not measured is neither met nor missed. */
export function misses(results: Results, all: readonly Wanted[] = wanted): Miss[] {
  return all.flatMap((one) => {
    const found =
      one.against === undefined
        ? results.spread(one.metric, subject)?.median
        : results.ratio(one.metric, subject, one.against)
    if (found === undefined || meets(one, found)) return []
    return [{ wanted: one, found }]
  })
}

function meets({ atLeast, atMost }: Wanted, found: number): boolean {
  // Written so that NaN is a miss.
  return (atLeast === undefined || found >= atLeast) && (atMost === undefined || found <= atMost)
}

export function textOfMiss({ wanted: one, found }: Miss): string {
  const { title, unit } = metrics[one.metric]
  const figure = one.against === undefined ? textOf(found, unit) : `${found.toFixed(2)} ×`
  return `missed: ${title}: ${figure}, wanted ${textOfWanted(one)}`
}
