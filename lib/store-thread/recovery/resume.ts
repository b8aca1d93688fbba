/** Collects from the source and the group what the resume decision needs after recovery, and logs the decision. */
import { LatchkeyError } from '../../errors.ts'
import type { KafkaClient } from '../../kafka/client.ts'
import { EpochTrail } from '../../kafka/epoch-trail.ts'
import { type CommittedOffset, listOffsets } from '../../kafka/offsets.ts'
import { loggerOf } from '../../log/index.ts'
import type { OffsetReset } from '../../store-protocol/client-config.ts'
import { completenessOf, rebuildingMetadata } from '../../topics/completeness.ts'
import { hasOtherFingerprint, otherFormatsWarning } from '../../topics/fingerprint.ts'
import { marksIn } from './marks.ts'
import type { Recovered } from './recovery.ts'
import { type Resume, resumeAt } from './resume-decision.ts'
import { isRecreated } from './source-check.ts'
import { topicChanges } from './topic-changes.ts'

const log = loggerOf('store')

export interface ResumptionInput {
  client: KafkaClient
  sourceTopic: string
  changelogTopic: string
  partitions: readonly number[]
  recovered: ReadonlyMap<number, Recovered>
  committed: ReadonlyMap<number, CommittedOffset>
  /** The commits of `committed`, as stored for the changelog topic. */
  marked: ReadonlyMap<number, CommittedOffset>
  /** Partitions whose changelog ended before its stated end, before they were taken. */
  endedEarly?: ReadonlyMap<number, string>
  /** Whether the changelog has the source's timestamps. */
  keepsTimestamps: boolean
  /** auto.offset.reset: what to do without a position. */
  reset: OffsetReset
  /** The user requests a rebuild of all partitions. */
  isRebuildAsked: boolean
  /** Callbacks make values from earlier values. */
  dependsOnFormer: boolean
}

export interface Resumption extends Resume {
  /** End of the source at start. */
  sourceEnd: number
  /** Leader epochs of the source records that are read. */
  epochs: EpochTrail
}

export async function resumptions(input: ResumptionInput): Promise<Map<number, Resumption>> {
  const { client, sourceTopic, partitions, recovered, committed, marked, keepsTimestamps } = input
  const [starts, ends] = await Promise.all([
    client.retryForever(() => listOffsets(client, sourceTopic, partitions, 'earliest')),
    client.retryForever(() => listOffsets(client, sourceTopic, partitions, 'latest')),
  ])
  const decided = await Promise.all(
    partitions.map(async (partition) => {
      const { records, changelogStart, changelogEnd, last, after, discardedAt } = recovered.get(partition)!
      const sourceEnd = ends.get(partition)!
      const metadata = committed.get(partition)?.metadata ?? ''
      const [changes, sourceRecreated] = await Promise.all([
        topicChanges(client, input, partition, committed.get(partition) ?? marked.get(partition)),
        last !== undefined &&
          client.retryForever(() => isRecreated(client, sourceTopic, partition, last, keepsTimestamps)),
      ])
      const resume = resumeAt({
        recordsRecovered: records,
        highestSourceOffset: last?.offset ?? -1,
        afterOffset: after,
        changelogStart,
        stated: completenessOf(metadata),
        changelogEnd,
        committed: committed.get(partition)?.offset ?? -1,
        sourceStart: starts.get(partition)!,
        sourceEnd,
        sourceRecreated,
        sourceChange: changes.source,
        changelogChange: changes.changelog ?? input.endedEarly?.get(partition),
        discardedAt,
        reset: input.reset,
        isRebuildAsked: input.isRebuildAsked,
        isRebuildUnfinished: metadata === rebuildingMetadata,
        dependsOnFormer: input.dependsOnFormer,
      })
      if (resume.refused !== undefined) throw resetRefused(sourceTopic, partition, resume.refused)
      const epochs = EpochTrail.from(resume.rebuild ? undefined : marksIn(metadata).sourceEpochs)
      // These epochs belong to the last commit, and the changelog may go beyond it.
      epochs.isUnknownFrom(committed.get(partition)?.offset ?? 0)
      return [partition, { ...resume, sourceEnd, epochs }] as const
    }),
  )
  for (const [partition, resumption] of decided) logResume(input, partition, resumption)
  return new Map(decided)
}

function logResume(
  { sourceTopic, reset, isRebuildAsked }: ResumptionInput,
  partition: number,
  { position, rebuild, lost, reason, isBegunBefore, sourceEnd }: Resumption,
): void {
  const properties = { sourceTopic, partition, position, reason, lost, behind: sourceEnd - position }
  if (rebuild) {
    const message = '{sourceTopic} partition {partition}: rebuilding from offset {position}, because {reason}'
    log[isRebuildAsked || isBegunBefore ? 'warn' : 'error'](message, properties)
  } else {
    log.debug(
      '{sourceTopic} partition {partition}: continuing at offset {position}, {reason}, {behind} records behind',
      properties,
    )
  }
  if (lost > 0) logLostRecords(sourceTopic, partition, lost, position, reset)
}

/**
 * Warns if values that remain were made with other formats or another module.
 * @param fingerprint of the current formats or module
 */
export function warnStale(
  changelogTopic: string,
  resumed: ReadonlyMap<number, Resumption>,
  committed: ReadonlyMap<number, CommittedOffset>,
  fingerprint: string | undefined,
): void {
  const isChanged = [...resumed].some(([partition, { discard }]) => {
    return !discard && hasOtherFingerprint(committed.get(partition)?.metadata ?? '', fingerprint)
  })
  if (isChanged) log.warn(`{changelogTopic}: ${otherFormatsWarning}`, { changelogTopic })
}

/** Returns the error for auto.offset.reset=error. */
export function resetRefused(sourceTopic: string, partition: number, found: string): LatchkeyError {
  const advice = 'with auto.offset.reset=earliest it would begin at the first available record'
  return new LatchkeyError('store_failed', `Reading ${sourceTopic} partition ${partition}: ${found}; ${advice}`)
}

/** Logs records that the source's retention removed before the store read them. The store does not have them. */
export function logLostRecords(
  sourceTopic: string,
  partition: number,
  lost: number,
  position: number,
  reset: OffsetReset,
): void {
  const message =
    reset === 'latest'
      ? '{sourceTopic} partition {partition}: {lost} records were removed from the source, or are skipped because of auto.offset.reset; continuing at its end, {position}'
      : '{sourceTopic} partition {partition}: {lost} records were removed from the source before they were read; continuing at its start, {position}'
  log.error(message, { sourceTopic, partition, lost, position })
}
