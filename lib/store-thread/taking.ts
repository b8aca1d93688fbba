/**
 * Takes changelog partitions from their earlier owners: fences them, has the changelog read up to the own markers,
 * and decides where each partition resumes in the source. Nothing is written, and nothing becomes visible.
 */
import type { LatchkeyError } from '../errors.ts'
import type { KafkaClient } from '../kafka/client.ts'
import { type CommittedOffset, fetchCommitted } from '../kafka/offsets.ts'
import { clientsConfigOf, groupOf } from '../topics/clients.ts'
import { fingerprintOf } from '../topics/fingerprint.ts'
import { runsCallbacks } from './ingest/callback-runner.ts'
import type { PartitionOwnership } from './ingest/partition-ownership.ts'
import { commitsForChangelog } from './recovery/changelog-commits.ts'
import { noteChangelogFall } from './recovery/changelog-fall.ts'
import { endedEarly } from './recovery/ended-early.ts'
import { requireOwnChangelog } from './recovery/own-changelog.ts'
import type { Recovered } from './recovery/recovery.ts'
import { type Resumption, resumptions, warnStale } from './recovery/resume.ts'
import type { StoreContext } from './store-context.ts'

export interface Taken {
  /** Commits of the group, read after the partitions were fenced. */
  readonly committed: ReadonlyMap<number, CommittedOffset>
  readonly recovered: ReadonlyMap<number, Recovered>
  readonly resumed: ReadonlyMap<number, Resumption>
}

export interface TakingSteps {
  /** Asks about the source and the commits. */
  readonly client: KafkaClient
  /** Whether the user requests a rebuild of all partitions. */
  readonly isRebuildAsked: boolean
  /** Called before anything is fenced, with the group's commits. It may throw: then no other instance loses anything. */
  before(committed: ReadonlyMap<number, CommittedOffset>): void
  /** Called for a partition that another instance has taken meanwhile. If it is absent, none is taken then. */
  refused?(partition: number, error: LatchkeyError): void
  /** Has the changelog in the map when it resolves, up to the own markers, of the partitions that it returns. */
  read(
    ownership: PartitionOwnership,
    committed: ReadonlyMap<number, CommittedOffset>,
    fenced: readonly number[],
  ): Promise<ReadonlyMap<number, Recovered>>
}

export async function takePartitions(
  context: StoreContext,
  ownership: PartitionOwnership,
  partitions: readonly number[],
  steps: TakingSteps,
): Promise<Taken> {
  const { clients, config, topology, stats } = context
  const { sourceTopic, changelogTopic } = config
  const { client, isRebuildAsked } = steps
  const { keepsTimestamps } = topology.limits
  const commits = () => client.retryForever(() => fetchCommitted(client, groupOf(config), sourceTopic, partitions))
  const before = await commits()
  steps.before(before)
  const early = await endedEarly(clients.changelog, changelogTopic, before)
  await requireOwnChangelog(
    { consumer: client, changelog: clients.changelog },
    config,
    partitions,
    before,
    keepsTimestamps,
  )
  const refused = await ownership.acquire(partitions)
  for (const [partition, error] of refused) {
    if (steps.refused === undefined) throw error
    steps.refused(partition, error)
  }
  const fenced = partitions.filter((partition) => !refused.has(partition))
  if (fenced.length === 0) return { committed: before, recovered: new Map(), resumed: new Map() }
  const committed = await commits()
  const marking = commitsForChangelog(client, config, fenced)
  marking.catch(() => {})
  const recovered = await steps.read(ownership, committed, fenced)
  if (recovered.size === 0) return { committed, recovered, resumed: new Map() }
  const resumed = await resumptions({
    client,
    sourceTopic,
    changelogTopic,
    partitions: fenced.filter((partition) => recovered.has(partition)),
    recovered,
    committed,
    marked: await marking,
    endedEarly: early,
    keepsTimestamps,
    reset: clientsConfigOf(config).consumer.offsetReset,
    isRebuildAsked,
    dependsOnFormer: runsCallbacks(context),
  })
  noteChangelogFall(stats, committed.values(), resumed.values())
  warnStale(changelogTopic, resumed, committed, fingerprintOf(config))
  return { committed, recovered, resumed }
}
