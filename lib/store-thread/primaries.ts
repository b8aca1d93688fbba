/**
 * The partitions that this instance consumes and writes: fence, recover, resume, ingest, commit. This class defines the
 * order; other modules implement the steps.
 */
import { LatchkeyError } from '../errors.ts'
import type { EndsWatch } from '../kafka/ends-watch.ts'
import { type CommittedOffset, fetchCommitted } from '../kafka/offsets.ts'
import { clientsConfigOf, groupOf } from '../topics/clients.ts'
import { fingerprintOf } from '../topics/fingerprint.ts'
import { expectedOf } from '../topics/memory-fit.ts'
import { closeStep } from './close-step.ts'
import { watchEnds } from './ends.ts'
import { runsCallbacks } from './ingest/callback-runner.ts'
import { CatchUp } from './ingest/catch-up.ts'
import { CommitMetadata } from './ingest/commit-metadata.ts'
import { committable } from './ingest/committable.ts'
import { Committer } from './ingest/committer.ts'
import type { DirectRecords } from './ingest/direct-writes.ts'
import { discardFormer, noteRebuild, noteRebuildAt } from './ingest/discard.ts'
import { Ingest } from './ingest/ingest.ts'
import { PartitionLifecycle } from './ingest/partition-lifecycle.ts'
import { PartitionOwnership } from './ingest/partition-ownership.ts'
import { StandstillWatch } from './ingest/standstill.ts'
import { readChangelog } from './read-changelog.ts'
import { commitsForChangelog } from './recovery/changelog-commits.ts'
import { noteChangelogFall } from './recovery/changelog-fall.ts'
import { endedEarly } from './recovery/ended-early.ts'
import { requireOwnChangelog } from './recovery/own-changelog.ts'
import type { Recovered } from './recovery/recovery.ts'
import type { RestoredSnapshot } from './recovery/restored-snapshot.ts'
import { type Resumption, resumptions, warnStale } from './recovery/resume.ts'
import { ChangelogWatch } from './repair/changelog-watch.ts'
import { Contests } from './repair/contests.ts'
import { Repairs } from './repair/repairs.ts'
import { Rereads } from './reread/rereads.ts'
import { SourceWatch } from './reread/source-watch.ts'
import { followPrimaries } from './snapshots/primary-point.ts'
import type { StoreContext } from './store-context.ts'

/**
 * Interval at which partitions are taken again. Brokers forget the sequence numbers of a producer that is silent for a
 * day (producer.id.expiration.ms).
 */
const renewIntervalMs = 12 * 3600 * 1000
export class Primaries {
  readonly #context: StoreContext
  readonly #ownership: PartitionOwnership
  readonly #events: PartitionLifecycle
  readonly #ingest: Ingest
  readonly #repairs: Repairs
  readonly #rereads: Rereads
  readonly #contests: Contests
  #resumed: ReadonlyMap<number, Resumption> = new Map()
  #catchUp: CatchUp | undefined
  #ingesting: Promise<void> | undefined
  #committer: Committer | undefined
  #commitMetadata: CommitMetadata | undefined
  #watch: ChangelogWatch | undefined
  #ends: EndsWatch<number> | undefined
  #source: SourceWatch | undefined
  readonly #standstill = new StandstillWatch(() => this.#ingest.repairs.renew())
  #renewTimer: ReturnType<typeof setInterval> | undefined
  #committed: ReadonlyMap<number, CommittedOffset> = new Map()
  #recovered = new Map<number, Recovered>()

  constructor(context: StoreContext) {
    this.#context = context
    this.#ownership = new PartitionOwnership(context.clients, context.config)
    this.#events = new PartitionLifecycle(context, this.#ownership, () => this.#standstill.check())
    this.#ingest = new Ingest(context, this.#events)
    this.#repairs = new Repairs(context, this.#ownership, this.#ingest, {
      noteRebuild: (partition) => this.#noteRebuild(partition),
      confirmed: (partition) => this.#commitMetadata?.confirmed(partition),
      repaired: (partition, changelogStart) => this.#repaired(partition, changelogStart),
    })
    this.#contests = new Contests(context, this.#ownership, this.#ingest)
    this.#events.repairBy(this.#repairs, this.#contests)
    this.#rereads = new Rereads(context, this.#ingest, this.#events, {
      noteRebuild: (partition, offset) => this.#noteRebuild(partition, offset),
      reread: (partition) => this.#committer?.restate(partition),
    })
  }

  /**
   * Resolves when the changelog is in the map and the resume position of each partition is decided. Nothing is visible
   * yet.
   */
  async recover(): Promise<void> {
    const { clients, config, roles, topology, map, stats, snapshots } = this.#context
    const { primaries } = roles
    if (primaries.length === 0) return
    const { sourceTopic, changelogTopic } = config
    const client = clients.consumer
    const { keepsTimestamps } = topology.limits
    const commits = () => client.retryForever(() => fetchCommitted(client, groupOf(config), sourceTopic, primaries))
    const before = await commits()
    this.#context.memory.expect(expectedOf(config.useProcessingOnly ? new Map() : before))
    snapshots?.restorer.begin(primaries)
    const early = await endedEarly(clients.changelog, changelogTopic, before)
    await requireOwnChangelog(clients, config, primaries, before, keepsTimestamps)
    await this.#ownership.acquire(primaries)
    this.#committed = await commits()
    const marking = commitsForChangelog(client, config, primaries)
    marking.catch(() => {})
    this.#recovered = await readChangelog(this.#context, this.#ownership, this.#committed)
    this.#resumed = await resumptions({
      client,
      sourceTopic,
      changelogTopic,
      partitions: primaries,
      recovered: this.#recovered,
      committed: this.#committed,
      marked: await marking,
      endedEarly: early,
      keepsTimestamps,
      reset: clientsConfigOf(config).consumer.offsetReset,
      isRebuildAsked: config.rebuild === true,
      dependsOnFormer: runsCallbacks(this.#context),
    })
    noteChangelogFall(stats, this.#committed.values(), this.#resumed.values())
    warnStale(changelogTopic, this.#resumed, this.#committed, fingerprintOf(config))
    for (const [partition, resumed] of this.#resumed) {
      const { changelogEnd: offset, isEndSure: isSure } = this.#recovered.get(partition)!
      this.#ingest.add(partition, resumed, this.#ownership.identity(partition)!, { offset, isSure })
    }
    const parts = { ingest: this.#ingest, ownership: this.#ownership, recovered: this.#recovered }
    const repairing = { repairs: this.#repairs, contests: this.#contests, rereads: this.#rereads }
    followPrimaries(this.#context, { ...parts, ...repairing })
    this.#source = new SourceWatch(this.#context, this.#ingest, this.#rereads)
    this.#events.watchBy(this.#source)
    if (this.#standstill.hasStoodStill) this.#ingest.repairs.renew()
    this.#ingesting = this.#ingest.run()
    this.#ingesting.catch(() => {})
    await Promise.race([this.#discardFormer(), this.#ingesting])
    if (!config.useProcessingOnly) for (const partition of primaries) map.open(partition)
  }

  /**
   * Follows the source. To be called when everything recovered is visible. Resolves after stopFetching() or stop(),
   * rejects with the error that ends the store.
   */
  async run(): Promise<void> {
    const { clients, config, stats, roles, post } = this.#context
    this.#catchUp = new CatchUp(stats, this.#resumed)
    const metadata = new CommitMetadata(this.#context, this.#ingest, this.#recovered, this.#resumed)
    this.#commitMetadata = metadata
    const source = {
      acknowledged: () => committable(roles.primaries, this.#ingest, this.#catchUp!, this.#repairs),
      metadata: (partition: number, offset: number) => metadata.of(partition, offset),
    }
    // A recreated source starts its offsets again, so a lower offset than before may be committed there.
    const floor = new Map<number, CommittedOffset>()
    const overruled = new Map<number, number>()
    for (const [partition, commit] of this.#committed) {
      const { discard, rebuild } = this.#resumed.get(partition)!
      if (discard) overruled.set(partition, commit.offset)
      // The metadata of this commit led to the rebuild. It is no longer true once the rebuild is done.
      else floor.set(partition, rebuild ? { ...commit, metadata: '' } : commit)
    }
    this.#committer = new Committer(clients.consumer, config, stats, source, floor, overruled)
    this.#renewTimer = setInterval(() => this.#ingest.repairs.renew(), renewIntervalMs)
    this.#ends = watchEnds(clients.consumer, config.sourceTopic, roles.primaries, stats)
    this.#watch = new ChangelogWatch(clients.producer, config.changelogTopic, {
      partitions: () => roles.primaries,
      written: (partition) => this.#ingest.changelogEnd(partition),
      endsEarly: (partition) => void this.#repairs.look(partition),
      endsLate: (partition, range) => this.#contests.found(partition, range),
      recreated: () => this.#repairs.recreated(),
      elected: (partition) => void this.#repairs.look(partition),
    })
    this.#events.begin(this.#catchUp)
    for (const [partition, { outdated }] of this.#recovered) this.#contests.foundAtStart(partition, outdated)
    this.#rereads.begin(this.#catchUp)
    for (const partition of roles.primaries) {
      if (!this.#rereads.isChanging(partition)) this.#ingest.follow(partition)
      this.#events.progressed(partition, this.#ingest.acknowledged(partition))
    }
    if (roles.primaries.length === 0) post({ type: 'caught-up' })
    await (this.#ingesting ?? this.#ingest.run())
  }

  /** Snapshots with which partitions began. */
  get restored(): RestoredSnapshot[] {
    return [...this.#recovered.values()].flatMap(({ restored }) => restored ?? [])
  }

  /** Writes records of a program: see Ingest.write. */
  write(partition: number, records: DirectRecords): void {
    this.#ingest.write(partition, records)
  }

  /** Resolves when everything consumed or written up to now is acknowledged. */
  drained(): Promise<void> {
    return this.#ingest.drained()
  }

  /** Stops fetching and waits for batches in flight, at most `boundMs`. */
  async finish(boundMs: number): Promise<void> {
    this.#ingest.stopFetching()
    await closeStep(boundMs, this.#ingest.drained())
  }

  /** Commits what is acknowledged, within at most `boundMs`. */
  async commit(boundMs: number): Promise<void> {
    await closeStep(boundMs, this.#committer?.close())
  }

  stop(): void {
    clearInterval(this.#renewTimer)
    this.#ends?.stop()
    this.#watch?.stop()
    this.#source?.stop()
    this.#standstill.stop()
    this.#committer?.stop()
    this.#ingest.stop()
  }

  async #discardFormer(): Promise<void> {
    const { config, map, stats } = this.#context
    const former = [...this.#resumed].find(([, { discard }]) => discard)
    if (former !== undefined && config.useProcessingOnly) {
      const advice = 'start it once without USE_PROCESSING_ONLY, which deletes them'
      const found = `the keys from before are still in ${config.changelogTopic}: ${advice}`
      throw new LatchkeyError(
        'store_failed',
        `Resuming ${config.sourceTopic} partition ${former[0]}: ${former[1].reason}, and ${found}`,
      )
    }
    await noteRebuild(this.#context.clients.consumer, config, this.#resumed, this.#committed)
    await discardFormer(map, stats, this.#ingest, this.#resumed, this.#recovered)
  }

  /** @param lower offset to commit with the note if the source starts its offsets again */
  async #noteRebuild(partition: number, lower?: number): Promise<void> {
    const { clients, config } = this.#context
    // A commit in flight could arrive after the note and replace it.
    await this.#committer?.settled()
    if (lower !== undefined) this.#committer?.restate(partition, lower)
    const committed = this.#committer?.committedOffset(partition) ?? this.#committed.get(partition)?.offset
    const offset = committed ?? Math.max(this.#ingest.acknowledged(partition), 0)
    await noteRebuildAt(clients.consumer, config, new Map([[partition, offset]]))
  }

  #repaired(partition: number, changelogStart: number): void {
    this.#recovered.set(partition, { ...this.#recovered.get(partition)!, changelogStart })
    this.#committer?.restate(partition)
  }
}
