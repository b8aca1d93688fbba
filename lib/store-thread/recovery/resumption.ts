/** After recovery: asks the source and the group what the resume decision needs, and tells what was decided. */
import { LatchkeyError } from '../../errors.ts'
import { type KafkaClient } from '../../kafka/client.ts'
import { EpochTrail } from '../../kafka/epoch-trail.ts'
import { type CommittedOffset, listOffsets } from '../../kafka/offsets.ts'
import { loggerOf } from '../../log/index.ts'
import { type OffsetReset } from '../../store-protocol/client-config.ts'
import { completenessOf, rebuildingMetadata } from '../../topics/completeness.ts'
import { changedText, isOfAnother } from '../../topics/fingerprint.ts'
import { marksIn } from './marks.ts'
import { type Recovered } from './recovery.ts'
import { type Resume, resumeAt } from './resume.ts'
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
  /** The same, as it was noted beside the changelog. */
  marked: ReadonlyMap<number, CommittedOffset>
  /** Partitions whose changelog ended before where it had got to, when they were taken. */
  endedEarly?: ReadonlyMap<number, string>
  /** Whether the changelog has the source's timestamps. */
  keepsTimestamps: boolean
  /** What to do where there is no position. */
  reset: OffsetReset
  /** The user asks for a rebuild of all partitions. */
  isRebuildAsked: boolean
  /** Callbacks make values out of those before them. */
  dependsOnFormer: boolean
}

export interface Resumption extends Resume {
  /** Where the source ended at start. */
  sourceEnd: number
  /** Leader epochs of what is read of the source. */
  epochs: EpochTrail
}

export async function resumptions(input: ResumptionInput): Promise<Map<number, Resumption>> {
  const { client, sourceTopic, partitions, recovered, committed, marked, keepsTimestamps } = input
  const starts = await client.persist(() => listOffsets(client, sourceTopic, partitions, 'earliest'))
  const ends = await client.persist(() => listOffsets(client, sourceTopic, partitions, 'latest'))
  const decided = await Promise.all(
    partitions.map(async (partition) => {
      const { records, changelogStart, changelogEnd, last, after, discardedAt } = recovered.get(partition)!
      const sourceEnd = ends.get(partition)!
      const metadata = committed.get(partition)?.metadata ?? ''
      const changes = await topicChanges(client, input, partition, committed.get(partition) ?? marked.get(partition))
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
        sourceRecreated:
          last !== undefined &&
          (await client.persist(() => isRecreated(client, sourceTopic, partition, last, keepsTimestamps))),
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
      // The changelog may reach further than the last commit, whose epochs these are.
      epochs.isUnknownFrom(committed.get(partition)?.offset ?? 0)
      return [partition, { ...resume, sourceEnd, epochs }] as const
    }),
  )
  for (const [partition, resumption] of decided) tell(input, partition, resumption)
  return new Map(decided)
}

function tell(
  { sourceTopic, reset, isRebuildAsked }: ResumptionInput,
  partition: number,
  { position, rebuild, lost, reason, isBegunBefore, sourceEnd }: Resumption,
): void {
  const properties = { sourceTopic, partition, position, reason, lost, behind: sourceEnd - position }
  if (rebuild) {
    const message = '{sourceTopic} partition {partition}: rebuilding from offset {position}, because {reason}'
    log[isRebuildAsked || isBegunBefore ? 'warn' : 'error'](message, properties)
  } else
    log.debug(
      '{sourceTopic} partition {partition}: going on at offset {position}, {reason}, {behind} records behind',
      properties,
    )
  if (lost > 0) tellLost(sourceTopic, partition, lost, position, reset)
}

/** Says so where values that stay were made with other formats, or by another module. @param fingerprint of those that count now */
export function tellChanged(
  changelogTopic: string,
  resumed: ReadonlyMap<number, Resumption>,
  committed: ReadonlyMap<number, CommittedOffset>,
  fingerprint: string | undefined,
): void {
  const isChanged = [...resumed].some(([partition, { discard }]) => {
    return !discard && isOfAnother(committed.get(partition)?.metadata ?? '', fingerprint)
  })
  if (isChanged) log.warn(`{changelogTopic}: ${changedText}`, { changelogTopic })
}

/** With auto.offset.reset=error. */
export function resetRefused(sourceTopic: string, partition: number, found: string): LatchkeyError {
  const advice = 'with auto.offset.reset=earliest it would begin at the start of what there is'
  return new LatchkeyError('store_failed', `Reading ${sourceTopic} partition ${partition}: ${found}; ${advice}`)
}

/** What the source's retention removed before the store had read it is lost there, and the store cannot know it. */
export function tellLost(
  sourceTopic: string,
  partition: number,
  lost: number,
  position: number,
  reset: OffsetReset,
): void {
  const message =
    reset === 'latest'
      ? '{sourceTopic} partition {partition}: {lost} records were removed from the source, or are passed over as auto.offset.reset says; going on at its end, {position}'
      : '{sourceTopic} partition {partition}: {lost} records were removed from the source before they were read; going on at its start, {position}'
  log.error(message, { sourceTopic, partition, lost, position })
}
