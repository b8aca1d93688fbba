/**
 * The partitions that this instance consumes and writes: fence, recover, resume, ingest, commit. This class defines the
 * order; other modules implement the steps.
 */
import type { CommittedOffset } from '../kafka/offsets.ts'
import { expectedOf } from '../topics/memory-fit.ts'
import { closeStep } from './close-step.ts'
import { setRole } from './holdings.ts'
import { CatchUp } from './ingest/catch-up.ts'
import { CommitMetadata } from './ingest/commit-metadata.ts'
import { commitSource, committable } from './ingest/committable.ts'
import { Committer } from './ingest/committer.ts'
import type { DirectRecords } from './ingest/direct-writes.ts'
import { discardTaken, noteRebuildAt } from './ingest/discard.ts'
import { hideFormer, reportHidden } from './ingest/hidden-rebuild.ts'
import { Ingest } from './ingest/ingest.ts'
import { PartitionLifecycle } from './ingest/partition-lifecycle.ts'
import { PartitionOwnership } from './ingest/partition-ownership.ts'
import { StandstillWatch } from './ingest/standstill.ts'
import { leftCopyOf } from './primary-copies.ts'
import { PrimaryWatches } from './primary-watches.ts'
import { readChangelog } from './read-changelog.ts'
import type { Recovered } from './recovery/recovery.ts'
import type { RestoredSnapshot } from './recovery/restored-snapshot.ts'
import type { Resumption } from './recovery/resume.ts'
import { Contests } from './repair/contests.ts'
import { Repairs } from './repair/repairs.ts'
import type { Copy } from './replica.ts'
import { Rereads } from './reread/rereads.ts'
import { SourceWatch } from './reread/source-watch.ts'
import { followPrimaries, mayDiffer, type PrimaryParts } from './snapshots/primary-point.ts'
import type { StoreContext } from './store-context.ts'
import { type Taken, takePartitions, type TakingSteps } from './taking.ts'

/** Time limit of each step of giving a partition up: acknowledge batches in flight, commit. */
const releaseStepMs = 1_000

export class Primaries {
  readonly events: PartitionLifecycle
  readonly parts: PrimaryParts
  readonly #context: StoreContext
  readonly #ownership: PartitionOwnership
  readonly #ingest: Ingest
  readonly #repairs: Repairs
  readonly #rereads: Rereads
  readonly #contests: Contests
  readonly #committed = new Map<number, CommittedOffset>()
  readonly #recovered = new Map<number, Recovered>()
  readonly #resumed = new Map<number, Resumption>()
  /** Partitions whose changelog or source is not what was recovered: it was discarded, or has changed since. */
  readonly #changed = new Set<number>()
  #catchUp: CatchUp | undefined
  #ingesting: Promise<void> | undefined
  #committer: Committer | undefined
  #commitMetadata: CommitMetadata | undefined
  #watches: PrimaryWatches | undefined
  #source: SourceWatch | undefined
  readonly #standstill = new StandstillWatch(() => this.#ingest.repairs.renew())

  constructor(context: StoreContext) {
    this.#context = context
    this.#ownership = new PartitionOwnership(context.clients, context.config)
    this.events = new PartitionLifecycle(context, this.#ownership, () => this.#standstill.check())
    this.#ingest = new Ingest(context, this.events)
    this.#repairs = new Repairs(context, this.#ownership, this.#ingest, {
      noteRebuild: (partition) => this.#noteRebuild(partition),
      confirmed: (partition) => this.#commitMetadata?.confirmed(partition),
      repaired: (partition, changelogStart) => {
        this.#recovered.set(partition, { ...this.#recovered.get(partition)!, changelogStart })
        this.#committer?.restate(partition)
      },
    })
    this.#contests = new Contests(context, this.#ownership, this.#ingest)
    this.events.repairBy(this.#repairs, this.#contests)
    this.#rereads = new Rereads(context, this.#ingest, this.events, {
      noteRebuild: (partition, offset) => this.#noteRebuild(partition, offset),
      reread: (partition) => this.#committer?.restate(partition),
    })
    const parts = { ingest: this.#ingest, ownership: this.#ownership, recovered: this.#recovered }
    this.parts = { ...parts, repairs: this.#repairs, contests: this.#contests, rereads: this.#rereads }
  }

  /**
   * Resolves when the changelog is in the map and the resume position of each partition is decided. Nothing is visible
   * yet.
   */
  async recover(): Promise<void> {
    const { clients, config, roles, map, snapshots, memory } = this.#context
    const { primaries } = roles
    if (primaries.length === 0) return
    const steps: TakingSteps = {
      client: clients.consumer,
      isRebuildAsked: config.rebuild === true,
      before: (committed) => {
        memory.expect(expectedOf(config.useProcessingOnly ? new Map() : committed))
        snapshots?.restorer.begin(primaries)
      },
      read: (ownership, committed) => readChangelog(this.#context, ownership, committed, primaries),
    }
    const taken = await takePartitions(this.#context, this.#ownership, primaries, steps)
    this.#add(taken)
    if (this.#standstill.hasStoodStill) this.#ingest.repairs.renew()
    this.#ingesting = this.#ingest.run()
    this.#ingesting.catch(() => {})
    await Promise.race([discardTaken(this.#context, this.#ingest, taken), this.#ingesting])
    if (!config.useProcessingOnly) for (const partition of primaries) map.open(partition)
  }

  /**
   * Follows the source. To be called when everything recovered is visible. Resolves after stopFetching() or stop(),
   * rejects with the error that ends the store.
   */
  async run(): Promise<void> {
    const { clients, config, stats, roles, post } = this.#context
    this.#catchUp = new CatchUp(stats, this.#resumed)
    this.#commitMetadata = new CommitMetadata(this.#context, this.#ingest, this.#recovered, this.#resumed)
    const acknowledged = () => committable(roles.primaries, this.#ingest, this.#catchUp!, this.#repairs)
    // Where partitions are given up, a commit must not wait behind a Fetch for records of the source.
    const client = config.elastic === undefined ? clients.consumer : clients.source
    this.#committer = new Committer(client, config, stats, commitSource(acknowledged, this.#commitMetadata))
    for (const [partition, resumption] of this.#resumed) {
      this.#committer.add(partition, this.#committed.get(partition), resumption)
    }
    this.#watches = new PrimaryWatches(this.#context, this.#ingest, this.#repairs, this.#contests)
    this.events.begin(this.#catchUp)
    for (const [partition, { outdated }] of this.#recovered) this.#contests.foundAtStart(partition, outdated)
    this.#rereads.begin(this.#catchUp)
    this.#follow(roles.primaries)
    if (roles.primaries.length === 0) post({ type: 'caught-up' })
    await (this.#ingesting ?? this.#ingest.run())
  }

  /**
   * Takes replicas while the store runs. To be called when run() was.
   */
  async take(partitions: readonly number[], steps: TakingSteps): Promise<void> {
    const taken = await takePartitions(this.#context, this.#ownership, partitions, steps)
    // Callbacks read what is visible, and it has to have everything that an earlier owner wrote.
    await this.#context.flusher.flush()
    this.#add(taken)
    for (const [partition, resumption] of taken.resumed) {
      hideFormer(this.#context, partition, resumption)
      setRole(this.#context, partition, 'primary')
      this.#catchUp!.add(partition, resumption)
      this.#committer!.add(partition, taken.committed.get(partition), resumption)
      this.events.took(partition)
      reportHidden(this.#context, partition, resumption)
    }
    await discardTaken(this.#context, this.#ingest, taken)
    for (const [partition, { outdated }] of taken.recovered) this.#contests.foundAtStart(partition, outdated)
    this.#follow([...taken.resumed.keys()])
  }

  /**
   * Gives a partition up while the store runs, so that another instance can take it.
   * @returns how the copy in the map continues; undefined if it has to be read again
   */
  async release(partition: number): Promise<Copy | undefined> {
    if (this.#ingest.partition(partition) !== undefined) {
      this.#ingest.follow(partition, false)
      await closeStep(releaseStepMs, this.#ingest.settled(partition))
      await closeStep(releaseStepMs, this.#committer!.commitAll())
    }
    setRole(this.#context, partition, 'replica')
    const written = this.#ingest.remove(partition)
    const hasChanged = this.#catchUp!.rebuilds(partition) || this.#changed.has(partition)
    const mayContinue = !hasChanged && written !== undefined && !mayDiffer(this.parts, partition, written.changelogEnd)
    this.events.left(partition)
    this.#contests.left(partition)
    this.#committer!.remove(partition)
    void this.#context.snapshots?.leave(partition)
    if (!mayContinue) return undefined
    return leftCopyOf(this.parts, partition, written, this.#commitMetadata!.confirmed(partition)?.epoch)
  }

  /** Snapshots with which partitions began. */
  get restored(): RestoredSnapshot[] {
    return [...this.#recovered.values()].flatMap(({ restored }) => restored ?? [])
  }

  write(partition: number, records: DirectRecords): void {
    this.#ingest.write(partition, records)
  }

  /** Resolves when everything consumed or written up to now is acknowledged. */
  drained(): Promise<void> {
    return this.#ingest.drained()
  }

  /** Stops fetching and waits for batches in flight and for repairs, at most `boundMs`. */
  async finish(boundMs: number): Promise<void> {
    this.#ingest.stopFetching()
    const settling = this.#contests.settled().then(() => this.#ingest.finished())
    await closeStep(boundMs, settling)
  }

  /** Commits what is acknowledged, within at most `boundMs`. */
  async commit(boundMs: number): Promise<void> {
    await closeStep(boundMs, this.#committer?.close())
  }

  stop(): void {
    this.#watches?.stop()
    this.#source?.stop()
    this.#standstill.stop()
    this.#committer?.stop()
    this.#ingest.stop()
  }

  /** Prepares the writing of partitions that were taken. */
  #add({ committed, recovered, resumed }: Taken): void {
    const partitions = [...resumed.keys()]
    for (const [partition, commit] of committed) this.#committed.set(partition, commit)
    for (const partition of partitions) {
      const { changelogEnd: offset, isEndSure: isSure } = recovered.get(partition)!
      this.#recovered.set(partition, recovered.get(partition)!)
      this.#resumed.set(partition, resumed.get(partition)!)
      if (resumed.get(partition)!.discard) this.#changed.add(partition)
      else this.#changed.delete(partition)
      const identity = this.#ownership.identity(partition)!
      this.#ingest.add(partition, resumed.get(partition)!, identity, { offset, isSure })
      // The own marker is the last that was read.
      if (this.#context.config.fencing) this.#ownership.noteMarker(partition, offset - 1)
    }
    followPrimaries(this.#context, this.parts, partitions)
    this.#source ??= new SourceWatch(this.#context, this.#ingest, this.#rereads)
    this.events.watchBy(this.#source)
  }

  /** @param lower offset to commit with the note if the source starts its offsets again */
  async #noteRebuild(partition: number, lower?: number): Promise<void> {
    const { clients, config } = this.#context
    this.#changed.add(partition)
    // A commit in flight could arrive after the note and replace it.
    await this.#committer?.settled()
    if (lower !== undefined) this.#committer?.restate(partition, lower)
    const committed = this.#committer?.committedOffset(partition) ?? this.#committed.get(partition)?.offset
    const offset = committed ?? Math.max(this.#ingest.acknowledged(partition), 0)
    await noteRebuildAt(clients.consumer, config, new Map([[partition, offset]]))
  }

  /** Begins to read the source of partitions. */
  #follow(partitions: readonly number[]): void {
    for (const partition of partitions) {
      if (!this.#rereads.isChanging(partition)) this.#ingest.follow(partition)
      this.events.progressed(partition, this.#ingest.acknowledged(partition))
    }
  }
}
