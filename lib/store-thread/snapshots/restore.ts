/**
 * Reads snapshots into the map before the changelog is read, and checks them against the changelog. Reading needs nothing
 * from Kafka, so it may begin before the partitions are taken. What may not be used is emptied again, and the snapshot
 * before it is tried.
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

/** A snapshot that says what it is of. */
export interface StatedSnapshot {
  readonly candidate: SnapshotCandidate
  readonly facts: SnapshotFacts
}

export interface ReadSnapshot {
  /** What is in the map now; undefined if the partition is empty. */
  readonly read: StatedSnapshot | undefined
  /** Snapshots from before that one, the latest first. */
  readonly before: readonly StatedSnapshot[]
  /** Why later ones were not read. */
  readonly refusals: readonly RefusedSnapshot[]
}

/**
 * Reads the last snapshot of a partition that is whole. The partition must be empty.
 * @param found called when there is one to read
 */
export async function readSnapshot(
  files: PartitionSnapshots,
  partition: number,
  found: () => void,
): Promise<ReadSnapshot> {
  const { snapshots, faults } = files.candidates(partition)
  const refusals: RefusedSnapshot[] = faults.map(({ reason, message }) => ({ reason, found: message }))
  const stated: StatedSnapshot[] = []
  for (const candidate of snapshots) {
    const facts = factsIn(candidate.manifest.facts)
    const unstated = `manifest ${candidate.manifest.generation} does not state what it is of`
    if (facts === undefined) refusals.push({ reason: 'damaged', found: unstated })
    else stated.push({ candidate, facts })
  }
  if (stated.length > 0) found()
  for (const [index, one] of stated.entries()) {
    const fault = await files.restore(one.candidate)
    if (fault === undefined) return { read: one, before: stated.slice(index + 1), refusals }
    refusals.push({ reason: fault.reason, found: fault.message })
  }
  return { read: undefined, before: [], refusals }
}

export interface CheckInput {
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

/** What Kafka says of the changelog. */
export interface AskedChangelog {
  readonly now: ReadonlyMap<number, ChangelogNow>
  readonly deleteRetentionMs: number
}

/** Asks Kafka by what snapshots are checked. To be called when no other owner can write to the changelog. */
export async function askChangelog(
  { client, changelogTopic, identityOf }: CheckInput,
  partitions: readonly number[],
): Promise<AskedChangelog> {
  const [now, deleteRetentionMs] = await Promise.all([
    changelogNow(client, changelogTopic, partitions, identityOf),
    deleteRetentionOf(client, changelogTopic),
  ])
  return { now, deleteRetentionMs }
}

/** Checks what was read against the changelog. */
export async function checkSnapshots(
  input: CheckInput,
  found: ReadonlyMap<number, ReadSnapshot>,
  { now, deleteRetentionMs }: AskedChangelog,
): Promise<Map<number, RestoreOutcome>> {
  const outcomes = [...found].map(async ([partition, { read, before, refusals }]) => {
    const changelog = now.get(partition)
    if (read === undefined || changelog === undefined) return [partition, { restored: undefined, refusals }] as const
    const check = (one: StatedSnapshot) => refusalNow(input, partition, one, changelog, deleteRetentionMs)
    return [partition, await firstUsable(input.files, read, before, refusals, check)] as const
  })
  return new Map(await Promise.all(outcomes))
}

interface Checked {
  readonly refusal: RefusedSnapshot | undefined
  readonly now: Moment
}

/** @param read what is in the map */
async function firstUsable(
  files: PartitionSnapshots,
  read: StatedSnapshot,
  before: readonly StatedSnapshot[],
  refusals: readonly RefusedSnapshot[],
  check: (one: StatedSnapshot) => Promise<Checked>,
): Promise<RestoreOutcome> {
  const all = [...refusals]
  for (const one of [read, ...before]) {
    const { refusal, now } = await check(one)
    if (refusal !== undefined) {
      all.push(refusal)
      if (one === read) files.discard(one.candidate)
      continue
    }
    const fault = one === read ? undefined : await files.restore(one.candidate)
    if (fault === undefined) return { restored: restoredOf(one, now), refusals: all }
    all.push({ reason: fault.reason, found: fault.message })
  }
  return { restored: undefined, refusals: all }
}

function restoredOf({ candidate, facts }: StatedSnapshot, now: Moment): RestoredSnapshot {
  const { manifest, bytes } = candidate
  return { facts, entries: manifest.entries, bytes, ageMs: ageOf(facts.takenAt, now).ms }
}

async function refusalNow(
  { client, changelogTopic, keepHeaders, rebuildOf }: CheckInput,
  partition: number,
  { facts }: StatedSnapshot,
  changelog: ChangelogNow,
  deleteRetentionMs: number,
): Promise<Checked> {
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
  return { refusal, now }
}
