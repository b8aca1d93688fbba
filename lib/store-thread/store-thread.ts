/** The life of a store in its thread: topics, recovery, primaries and replicas, until it is closed or fails. */
import { type Definition, definitionOf } from '../definition/index.ts'
import { LatchkeyError } from '../errors.ts'
import { hardMaxBytes } from '../kafka/record-batch/index.ts'
import { writePending } from '../log/index.ts'
import type { WantedRoles } from '../store-protocol/roles.ts'
import type { StoreConfig } from '../store-protocol/store-config.ts'
import type { FromThread, KeptAnswer, KeysRequest, Watching } from '../store-protocol/thread-messages.ts'
import { type Clients, clientsConfigOf, closeClients, commitAs, createClients } from '../topics/clients.ts'
import { refuseBesideGroup } from '../topics/manual-writer.ts'
import { requirePermissions } from '../topics/permission-check.ts'
import { completeTopics, inspectTopics, type Topology } from '../topics/topology.ts'
import { closeStep } from './close-step.ts'
import { GrowthWatch } from './growth-watch.ts'
import type { DirectRecords } from './ingest/direct-writes.ts'
import { recordLimits } from './ingest/produce-options.ts'
import { openContext } from './open-context.ts'
import { Primaries } from './primaries.ts'
import { logRecovered } from './recovered-log.ts'
import { Replicas } from './replicas.ts'
import { Reporter } from './reporter.ts'
import { RoleChanges } from './role-changes.ts'
import type { StoreContext } from './store-context.ts'

/** Maximum interval between two requests for the topic's partition count; metadata.max.age.ms may shorten it. */
const growthIntervalMaxMs = 10_000
/** Time limit for each step of closing: acknowledge batches in flight, publish, commit. */
const closeStepMs = 5_000
/** Time limit for the last snapshots, and for all of closing. */
const snapshotsMs = 10_000
const closeMs = 17_000

interface Opened {
  context: StoreContext
  primaries: Primaries
  replicas: Replicas
  roleChanges: RoleChanges
}

export class StoreThread {
  readonly #config: StoreConfig
  readonly #definition: Definition | undefined
  readonly #post: (message: FromThread) => void
  readonly #clients: Clients
  readonly #reporter: Reporter
  readonly #failed = Promise.withResolvers<never>()
  #opened: Opened | undefined
  #growth: GrowthWatch | undefined
  #isRunning = false
  #wanted: WantedRoles | undefined
  #closing: Promise<void> | undefined

  /**
   * Loads the definition that the configuration names.
   * @throws LatchkeyError invalid_settings if it cannot be loaded
   */
  static async load(config: StoreConfig, post: (message: FromThread) => void): Promise<StoreThread> {
    const { useReplicaOnly, formats, module } = config
    const isPlain = useReplicaOnly || (formats === undefined && module === undefined)
    const definition = isPlain ? undefined : await definitionOf(config)
    return new StoreThread(config, post, definition?.isPlain ? undefined : definition)
  }

  /** @param definition absent if keys and values are not decoded */
  constructor(config: StoreConfig, post: (message: FromThread) => void, definition?: Definition) {
    this.#config = config
    this.#definition = definition
    this.#post = post
    this.#clients = createClients(config)
    this.#reporter = new Reporter(this.#clients, post)
    this.#failed.promise.catch(() => {})
  }

  /** Runs until close(). Rejects with the error that ends the store. */
  async run(): Promise<void> {
    try {
      await Promise.race([this.#live(), this.#failed.promise])
    } catch (error) {
      if (this.#closing === undefined) throw error
    } finally {
      await this.#closing
      this.#release()
    }
  }

  /** A reader thread has received the map's messages up to a version. */
  confirmed(readerThread: number, version: number): void {
    this.#opened?.context.map.confirmed(readerThread, version)
  }

  /** A reading thread waits for publishes, or no longer. */
  watch(readerThread: number, watching: Watching): void {
    this.#opened?.context.changes.watch(readerThread, watching)
  }

  /** The process has the lock of the store's snapshots now. */
  snapshotsLocked(): void {
    this.#opened?.context.snapshots?.locked()
  }

  /** Answers whether memory is kept, or what a check of it has found. */
  kept(answer: KeptAnswer): void {
    this.#opened?.context.keptMemory.answered(answer)
  }

  /** A reading thread asks for keys of the changelog. */
  readKeys(request: KeysRequest): void {
    this.#opened?.context.changes.keys.request(request)
  }

  /** Brings the roles of the partitions that are held to these, once the store runs. */
  want(wanted: WantedRoles): void {
    const { fencing, useReplicaOnly, useProcessingOnly } = this.#config
    // Without a fence, a source or a map the roles are fixed.
    if (!fencing || useReplicaOnly || useProcessingOnly) return
    this.#wanted = wanted
    if (wanted.member !== undefined) commitAs(this.#clients, wanted.member ?? undefined)
    this.#opened?.roleChanges.want(wanted)
  }

  /** Writes records of a program. The result is posted, except if the store ends before. */
  write(partition: number, records: DirectRecords): void {
    this.#opened?.primaries.write(partition, records)
  }

  /** Waits until what was consumed before is published. Resolves with the number of operations that became visible. */
  async flush(): Promise<number> {
    if (this.#opened === undefined || !this.#isRunning) {
      throw new LatchkeyError('recovering', `Flushing store ${this.#config.storeId}: it is still recovering`)
    }
    const { stats, flusher } = this.#opened.context
    const before = stats.count('operationsPublished')
    await this.#opened.primaries.drained()
    await flusher.flush()
    return stats.count('operationsPublished') - before
  }

  /** Stops fetching, waits for batches in flight, publishes, and commits. Each step has a time limit. */
  close(): Promise<void> {
    this.#closing ??= this.#close().finally(() => this.#failed.reject(new LatchkeyError('stopping', 'closed')))
    return this.#closing
  }

  async #live(): Promise<void> {
    const topology = await this.#prepareTopics()
    const { context, primaries, replicas } = this.#open(topology)
    const following = replicas.run()
    following.catch((error) => this.#failed.reject(error))
    await this.#recover(context, primaries)
    if (this.#config.waitForReplicas) await replicas.filled
    await context.flusher.flush()
    this.#reporter.published()
    this.#isRunning = true
    context.keptMemory.started()
    context.snapshots?.begin()
    this.#watchGrowth(context)
    context.memory.recovered()
    const running = primaries.run()
    this.#opened!.roleChanges.begin()
    await Promise.all([running, following])
  }

  /** Checks permissions and topics concurrently. Changes nothing before both checks have passed. */
  async #prepareTopics(): Promise<Topology> {
    const { consumer } = this.#clients
    const inspecting = consumer.retryForever(() => inspectTopics(consumer, this.#config))
    // A missing permission explains why a topic looks incomplete or a group is not shown: its error takes precedence.
    const refusing = refuseBesideGroup(this.#clients, this.#config)
    for (const asked of [inspecting, refusing]) asked.catch(() => {})
    await requirePermissions(this.#clients, this.#config)
    const [topology] = await Promise.all([inspecting, refusing])
    await completeTopics(consumer, this.#config, topology)
    return topology
  }

  #open(topology: Topology): Opened {
    const post = this.#post
    const context = openContext({
      config: this.#config,
      definition: this.#definition,
      clients: this.#clients,
      topology,
      post,
      published: () => this.#reporter.published(),
      failed: (error: unknown) => this.#failed.reject(error),
    })
    const { config, stats, map, roles } = context
    const layout = [...stats.layout]
    const [primary, replica] = [new Primaries(context), new Replicas(context)]
    const roleChanges = new RoleChanges(context, primary, replica)
    if (this.#wanted !== undefined) roleChanges.want(this.#wanted)
    this.#opened = { context, primaries: primary, replicas: replica, roleChanges }
    this.#reporter.watch(stats, config.useProcessingOnly ? undefined : map)
    const { primaries, replicas } = roles
    const { partitionCount } = topology
    const recordBytesMax = Math.min(recordLimits(config, topology.limits).maxMessageBytes, hardMaxBytes)
    const memory = { stats: stats.buffer, map: map.shared }
    post({ type: 'opened', layout, primaries, replicas, partitionCount, recordBytesMax, ...memory })
    post({ type: 'state', state: 'recovering' })
    return this.#opened
  }

  /**
   * Watches for new partitions. An instance that owns all partitions takes new ones too; other instances report the new
   * count.
   */
  #watchGrowth({ topology, strangers, post }: StoreContext): void {
    const { useReplicaOnly, sourceTopic, changelogTopic } = this.#config
    const topic = useReplicaOnly ? changelogTopic : sourceTopic
    const { metadataMaxAgeMs } = clientsConfigOf(this.#config).consumer.connection
    const intervalMs = Math.min(metadataMaxAgeMs || growthIntervalMaxMs, growthIntervalMaxMs)
    const grown = (partitionCount: number) => {
      strangers?.grew(partitionCount)
      post({ type: 'grown', partitionCount })
    }
    this.#growth = new GrowthWatch(this.#clients.consumer, topic, topology.partitionCount, intervalMs, grown)
  }

  async #recover(context: StoreContext, primaries: Primaries): Promise<void> {
    const start = performance.now()
    await Promise.race([primaries.recover(), this.#failed.promise])
    this.#reporter.reportMap()
    logRecovered(context, primaries.restored, (performance.now() - start) / 1000)
  }

  async #close(): Promise<void> {
    const start = performance.now()
    this.#post({ type: 'state', state: 'stopping' })
    this.#opened?.roleChanges.stop()
    this.#opened?.replicas.stop()
    await this.#opened?.primaries.finish(closeStepMs)
    await closeStep(closeStepMs, this.#opened?.context.flusher.flush())
    await this.#opened?.primaries.commit(closeStepMs)
    const leftMs = Math.min(snapshotsMs, closeMs - (performance.now() - start))
    if (leftMs > 0) await closeStep(leftMs, this.#opened?.context.snapshots?.finish())
  }

  #release(): void {
    this.#reporter.stop()
    this.#growth?.stop()
    this.#opened?.context.snapshots?.stop()
    this.#opened?.context.flusher.stop()
    this.#opened?.context.changes.stop()
    this.#opened?.context.memory.stop()
    this.#opened?.primaries.stop()
    this.#opened?.replicas.stop()
    closeClients(this.#clients)
    writePending()
  }
}
