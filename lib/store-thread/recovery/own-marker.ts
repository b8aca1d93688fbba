/** Ensures that the owner's fence marker, which ends a recovery, is in the log. */
import { sleep } from '../../kafka/backoff.ts'
import type { KafkaClient } from '../../kafka/client.ts'
import { openTransaction } from '../../kafka/open-transaction.ts'
import type { ProducerIdentity } from '../../kafka/transactional-id.ts'
import { atOnce } from '../at-once.ts'

/**
 * A marker that is not found at the end of the log within this time was removed by an eager cleaner. Another one is
 * written.
 */
const markerPatienceMs = 5_000
/** Partitions that are looked at, and taken again, at a time. */
const looksMax = 16

export interface MarkerContext {
  client: KafkaClient
  changelogTopic: string
  /** Identity of the owner; undefined without fencing. */
  identityOf(partition: number): ProducerIdentity | undefined
  /**
   * Takes the partition again, which writes a marker at its current end.
   * @param position offset up to which the partition was read
   */
  fenceAgain(partition: number, position: number): Promise<void>
}

export interface MarkerProgress {
  readonly position: number
  /** Log end offset at start. */
  readonly end: number
  /** Producer epoch of the marker that was found; -1 if none was. */
  readonly endEpoch: number
}

/** Runs until the signal is aborted. @param patienceMs for tests */
export async function watchMarkers(
  context: MarkerContext,
  progress: ReadonlyMap<number, MarkerProgress>,
  signal: AbortSignal,
  patienceMs = markerPatienceMs,
): Promise<void> {
  const { client, changelogTopic } = context
  const seen = new Map<number, number>()
  const trouble = new Map([...progress.keys()].map((partition) => [partition, Symbol(`partition ${partition}`)]))
  while (!signal.aborted) {
    await sleep(patienceMs, signal)
    await atOnce(looksMax, progress, async ([partition, reached]) => {
      if (signal.aborted || context.identityOf(partition) === undefined) return
      const stuck = reached.position >= reached.end && seen.get(partition) === reached.position && reached.endEpoch < 0
      seen.set(partition, reached.position)
      const hiding = stuck ? await openTransaction(client, changelogTopic, partition) : undefined
      if (hiding === undefined) client.health.over(trouble.get(partition)!)
      else client.health.waits(hiding, { operation: trouble.get(partition)! })
      // A marker after the open transaction would not be visible either.
      if (stuck && hiding === undefined && !signal.aborted) await context.fenceAgain(partition, reached.position)
    })
  }
  for (const operation of trouble.values()) client.health.over(operation)
}
