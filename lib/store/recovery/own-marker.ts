/** Sees to it that the owner's marker, which ends a recovery, is there. */
import { sleep } from '../../kafka/backoff.ts'
import { type ProducerIdentity } from '../../kafka/transactional-id.ts'

/** A marker that is not met within this time at the end of the log was removed by an eager cleaner: another one is written. */
const markerPatienceMs = 5_000

export interface MarkerContext {
  /** The owner's identity; undefined without fencing. */
  identityOf(partition: number): ProducerIdentity | undefined
  /** Takes the partition again, for a marker at its present end. @param position up to which it was read */
  fenceAgain(partition: number, position: number): Promise<void>
}

export interface MarkerProgress {
  readonly position: number
  /** Where the log ended at start. */
  readonly end: number
  /** Of the marker that was met; -1 before. */
  readonly endEpoch: number
}

/** Runs until the signal is aborted. */
export async function watchMarkers(
  context: MarkerContext,
  progress: ReadonlyMap<number, MarkerProgress>,
  signal: AbortSignal,
): Promise<void> {
  const seen = new Map<number, number>()
  while (!signal.aborted) {
    await sleep(markerPatienceMs, signal)
    for (const [partition, one] of progress) {
      if (signal.aborted || context.identityOf(partition) === undefined) continue
      const stuck = one.position >= one.end && seen.get(partition) === one.position
      seen.set(partition, one.position)
      if (stuck && one.endEpoch < 0) await context.fenceAgain(partition, one.position)
    }
  }
}
