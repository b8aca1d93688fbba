/**
 * Reads snapshots into the map before the changelog is read. Each is checked against the changelog first; the one
 * before it is tried where the last cannot be used.
 */
import type { KafkaClient } from '../../kafka/client.ts'
import type { ProducerIdentity } from '../../kafka/transactional-id.ts'
import type { SnapshotCandidate } from '../../map/index.ts'
import { ageOf } from '../../store-protocol/snapshot-age.ts'
import { factsIn, type Moment, type SnapshotFacts } from '../../store-protocol/snapshot-facts.ts'
import type { RestoredSnapshot } from '../recovery/restored-snapshot.ts'
import { refusalOf, type RefusedSnapshot } from '../recovery/snapshot-check.ts'
import { type ChangelogNow, changelogNow, deleteRetentionOf, epochEndOf } from './changelog-now.ts'
import type { PartitionSnapshots } from './partition-snapshots.ts'

export interface RestoreInput {
  readonly client: KafkaClient
  readonly changelogTopic: string
  readonly files: PartitionSnapshots
  readonly keepHeaders: readonly string[]
  /** Undefined without fencing, and for replicas. */
  identityOf(partition: number): ProducerIdentity | undefined
  rebuildOf(partition: number): 'asked' | 'unfinished' | undefined
}

/** What was found of a partition's snapshots. */
export interface RestoreOutcome {
  /** What is in the map; undefined if the changelog has to be read from its start. */
  readonly restored: RestoredSnapshot | undefined
  /** Why snapshots were not used, the latest first; empty if there was none. */
  readonly refusals: readonly RefusedSnapshot[]
}

interface StatedSnapshot {
  readonly candidate: SnapshotCandidate
  readonly facts: SnapshotFacts
}

export async function restoreSnapshots(
  input: RestoreInput,
  partitions: readonly number[],
): Promise<Map<number, RestoreOutcome>> {
  const outcomes = new Map<number, RestoreOutcome>()
  const found = new Map<number, { usable: StatedSnapshot[]; refusals: RefusedSnapshot[] }>()
  for (const partition of partitions) {
    const candidates = candidatesOf(input.files, partition)
    if (candidates.usable.length > 0) found.set(partition, candidates)
    else outcomes.set(partition, { restored: undefined, refusals: candidates.refusals })
  }
  if (found.size === 0) return outcomes
  const { client, changelogTopic } = input
  const [now, deleteRetentionMs] = await Promise.all([
    changelogNow(client, changelogTopic, [...found.keys()], input.identityOf),
    deleteRetentionOf(client, changelogTopic),
  ])
  const checks = await Promise.all(
    [...found].map(async ([partition, { usable, refusals }]) => {
      const checkOf = (one: StatedSnapshot) => check(input, partition, one, now.get(partition)!, deleteRetentionMs)
      const [last, ...before] = usable
      return { partition, refusals, last: await checkOf(last!), before, checkOf }
    }),
  )
  // One after the other: each read takes the processor and the disk for itself.
  for (const { partition, refusals, last, before, checkOf } of checks) {
    let restored = await restoredFrom(input.files, last, refusals)
    for (const one of before) restored ??= await restoredFrom(input.files, await checkOf(one), refusals)
    outcomes.set(partition, { restored, refusals })
  }
  return outcomes
}

function candidatesOf(
  files: PartitionSnapshots,
  partition: number,
): { usable: StatedSnapshot[]; refusals: RefusedSnapshot[] } {
  const { snapshots, faults } = files.candidates(partition)
  const usable: StatedSnapshot[] = []
  const refusals: RefusedSnapshot[] = faults.map(({ reason, message }) => ({ reason, found: message }))
  for (const candidate of snapshots) {
    const facts = factsIn(candidate.manifest.facts)
    const found = `manifest ${candidate.manifest.generation} does not state what it is of`
    if (facts === undefined) refusals.push({ reason: 'damaged', found })
    else usable.push({ candidate, facts })
  }
  return { usable, refusals }
}

interface CheckedSnapshot extends StatedSnapshot {
  readonly refusal: RefusedSnapshot | undefined
  readonly now: Moment
}

async function check(
  { client, changelogTopic, keepHeaders, rebuildOf }: RestoreInput,
  partition: number,
  found: StatedSnapshot,
  changelog: ChangelogNow,
  deleteRetentionMs: number,
): Promise<CheckedSnapshot> {
  const { facts } = found
  const now = { local: Date.now(), broker: changelog.clock?.now }
  const isSame = changelog.topicId === facts.topicId
  const refusal = refusalOf({
    facts,
    changelogTopic,
    clusterId: changelog.clusterId,
    topicId: changelog.topicId,
    changelogStart: changelog.start,
    changelogEnd: changelog.end,
    // An epoch says nothing of another topic.
    epochEnd: isSame ? await epochEndOf(client, changelogTopic, partition, facts.leaderEpoch) : undefined,
    now,
    deleteRetentionMs,
    keepHeaders,
    rebuild: rebuildOf(partition),
  })
  return { ...found, refusal, now }
}

/** Reads a snapshot into the map if it may be used and is whole. @param refusals gets why it is not */
async function restoredFrom(
  files: PartitionSnapshots,
  { candidate, facts, refusal, now }: CheckedSnapshot,
  refusals: RefusedSnapshot[],
): Promise<RestoredSnapshot | undefined> {
  const fault = refusal === undefined ? await files.restore(candidate) : undefined
  if (refusal !== undefined) refusals.push(refusal)
  else if (fault !== undefined) refusals.push({ reason: fault.reason, found: fault.message })
  else {
    const { manifest, bytes } = candidate
    return { facts, entries: manifest.entries, bytes, ageMs: ageOf(facts.takenAt, now).ms }
  }
  return undefined
}
