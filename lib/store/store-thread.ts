/**
 * The life of a store, in its thread: topics, fence, recovery, resume, ingest, close. Each step is a function of its own elsewhere; here
 * is their order.
 */
import { LatchkeyError } from '../errors.ts'
import { type CommittedOffset, fetchCommitted } from '../kafka/offsets.ts'
import { loggerOf } from '../log.ts'
import { ChiralMap } from '../map/index.ts'
import { CatchUp } from './catch-up.ts'
import { type Clients, closeClients, createClients } from './clients.ts'
import { Committer, completenessMetadata } from './committer.ts'
import { discardFormer } from './discard.ts'
import { Flusher } from './flusher.ts'
import { Ingest } from './ingest.ts'
import { type FromThread } from './messages.ts'
import { Owners } from './owners.ts'
import { PartitionEvents, setPartitionState } from './partition-events.ts'
import { recover, type Recovered } from './recovery.ts'
import { Reporter } from './reporter.ts'
import { type Resumption, resumptions } from './resumption.ts'
import { Stats } from './stats.ts'
import { type StoreConfig } from './store-config.ts'
import { prepareTopics, type Topology } from './topology.ts'
import { within } from './within.ts'

const log = loggerOf('store')
/** Brokers forget the sequences of a producer that is silent for a day (producer.id.expiration.ms). */
const renewIntervalMs = 12 * 3600 * 1000
/** What closing may take for each of: acknowledging what is in flight, publishing it, committing. */
const closeStepMs = 5_000

/** What there is once the topics are known. */
interface Memory {
  topology: Topology
  stats: Stats
  map: ChiralMap
  flusher: Flusher
}

/** What there is once the store has recovered. */
interface Running {
  ingest: Ingest
  catchUp: CatchUp
  committer: Committer
}

export class StoreThread {
  readonly #config: StoreConfig
  readonly #post: (message: FromThread) => void
  readonly #clients: Clients
  readonly #owners: Owners
  readonly #reporter: Reporter
  readonly #failed = Promise.withResolvers<never>()
  #memory: Memory | undefined
  #events: PartitionEvents | undefined
  #running: Running | undefined
  #renewTimer: ReturnType<typeof setInterval> | undefined
  #closing: Promise<void> | undefined

  constructor(config: StoreConfig, post: (message: FromThread) => void) {
    this.#config = config
    this.#post = post
    this.#clients = createClients(config)
    this.#owners = new Owners(this.#clients.producer, config)
    this.#reporter = new Reporter(this.#clients, post)
    this.#failed.promise.catch(() => {})
  }

  /** Runs until close(). Rejects with what ends the store. */
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

  /** A reader thread has taken the map's messages up to a version. */
  confirmed(version: number): void {
    this.#memory?.map.confirmed(0, version)
  }

  /** Resolves, once all that was consumed before is acknowledged and published, with the number of operations made visible meanwhile. */
  async flush(): Promise<number> {
    if (this.#memory === undefined || this.#running === undefined) {
      throw new LatchkeyError('recovering', `Flushing store ${this.#config.storeId}: it is still recovering`)
    }
    const { stats, flusher } = this.#memory
    const before = stats.count('operationsPublished')
    await this.#running.ingest.drained()
    await flusher.flush()
    return stats.count('operationsPublished') - before
  }

  /** Stops fetching, finishes and publishes what is in flight, commits; each within a bound. */
  close(): Promise<void> {
    this.#closing ??= this.#close().finally(() => this.#failed.reject(new LatchkeyError('stopping', 'closed')))
    return this.#closing
  }

  async #live(): Promise<void> {
    const { consumer } = this.#clients
    const { storeId, sourceTopic } = this.#config
    const topology = await prepareTopics(consumer, this.#config)
    const { partitions } = topology
    const memory = this.#open(topology)
    await this.#owners.take(partitions)
    const committed = await consumer.persist(() => fetchCommitted(consumer, storeId, sourceTopic, partitions))
    const recovered = await this.#recover(memory, partitions)
    const { keepsTimestamps } = topology.limits
    const resumed = await resumptions({
      client: consumer,
      sourceTopic,
      partitions,
      recovered,
      committed,
      keepsTimestamps,
    })
    const ingest = this.#createIngest(memory)
    for (const [partition, { position }] of resumed) {
      ingest.add(partition, position, this.#owners.identity(partition)!, recovered.get(partition)!.changelogEnd)
    }
    const ingesting = ingest.run()
    ingesting.catch(() => {})
    await Promise.race([discardFormer(memory.map, ingest, resumed), ingesting])
    for (const partition of partitions) memory.map.open(partition)
    await memory.flusher.flush()
    this.#reporter.published()
    this.#begin(memory, ingest, resumed, committed, recovered)
    await ingesting
  }

  #open(topology: Topology): Memory {
    const { partitions } = topology
    const { initialCapacity, readerPoolSize, autoFlushCount, autoFlushSeconds } = this.#config
    const stats = new Stats(partitions)
    const map = new ChiralMap({
      partitions,
      partitionCount: partitions.length,
      initialCapacity,
      readersMax: readerPoolSize,
      readerThreads: 1,
      announce: (message) => this.#post({ type: 'map', message }),
    })
    const failed = (error: unknown) => this.#failed.reject(error)
    const flusher = new Flusher(map, stats, { count: autoFlushCount, seconds: autoFlushSeconds, failed })
    flusher.published = () => this.#reporter.published()
    this.#memory = { topology, stats, map, flusher }
    this.#events = new PartitionEvents({
      config: this.#config,
      consumer: this.#clients.consumer,
      owners: this.#owners,
      stats,
      flusher,
      post: this.#post,
      failed,
    })
    this.#reporter.watch(map, stats)
    for (const partition of partitions) setPartitionState(stats, partition, 'recovering')
    this.#post({ type: 'opened', partitions, stats: stats.buffer, map: map.shared })
    this.#post({ type: 'state', state: 'recovering' })
    return this.#memory
  }

  async #recover({ map, stats }: Memory, partitions: readonly number[]): Promise<Map<number, Recovered>> {
    const { changelogTopic, fencing } = this.#config
    const start = performance.now()
    const recovered = await recover(
      {
        client: this.#clients.changelog,
        changelogTopic,
        map,
        stats,
        identityOf: (partition) => (fencing ? this.#owners.identity(partition) : undefined),
        fenceAgain: async (partition) => void (await this.#owners.renew(partition, this.#owners.identity(partition)!)),
      },
      partitions,
    )
    this.#reporter.reportMap()
    const seconds = Math.max((performance.now() - start) / 1000, 0.001)
    const records = stats.count('recordsRecovered')
    log.info('Recovered {entries} entries from {records} changelog records in {seconds} s ({rate} records/s)', {
      entries: partitions.reduce((sum, partition) => sum + stats.gauge(partition, 'entries'), 0),
      records,
      seconds: Math.round(seconds * 100) / 100,
      rate: Math.round(records / seconds),
    })
    return recovered
  }

  #createIngest({ map, stats, flusher, topology }: Memory): Ingest {
    const { limits } = topology
    const clients = this.#clients
    const events = this.#events!
    return new Ingest({ config: this.#config, clients, map, stats, flusher, limits, events })
  }

  #begin(
    { topology, stats }: Memory,
    ingest: Ingest,
    resumed: ReadonlyMap<number, Resumption>,
    committed: ReadonlyMap<number, CommittedOffset>,
    recovered: ReadonlyMap<number, Recovered>,
  ): void {
    const catchUp = new CatchUp(stats, resumed)
    const source = {
      acknowledged: () => this.#committable(),
      metadata: (partition: number) => completenessMetadata(recovered.get(partition)!.changelogStart),
    }
    // A recreated source counts its offsets anew: there, less than what was committed may be committed.
    const held = [...committed].filter(([partition]) => !resumed.get(partition)!.discard)
    const floor = new Map(held.map(([partition, { offset }]) => [partition, offset]))
    const committer = new Committer(this.#clients.consumer, this.#config, stats, source, floor)
    this.#running = { ingest, catchUp, committer }
    this.#renewTimer = setInterval(() => ingest.renewAll(), renewIntervalMs)
    this.#events!.begin(catchUp)
    for (const partition of topology.partitions) {
      ingest.follow(partition)
      this.#events!.progressed(partition, ingest.acknowledged(partition))
    }
  }

  /** Not while a partition is rebuilt: a commit would state that it is complete. */
  #committable(): Map<number, number> {
    const { ingest, catchUp } = this.#running!
    const offsets = new Map<number, number>()
    for (const partition of this.#memory!.topology.partitions) {
      const acknowledged = ingest.acknowledged(partition)
      if (acknowledged >= 0 && !catchUp.rebuilds(partition)) offsets.set(partition, acknowledged)
    }
    return offsets
  }

  async #close(): Promise<void> {
    this.#post({ type: 'state', state: 'stopping' })
    this.#running?.ingest.stopFetching()
    await within(closeStepMs, this.#running?.ingest.drained())
    await within(closeStepMs, this.#memory?.flusher.flush())
    await within(closeStepMs, this.#running?.committer.close())
  }

  #release(): void {
    clearInterval(this.#renewTimer)
    this.#reporter.stop()
    this.#memory?.flusher.stop()
    this.#running?.committer.stop()
    this.#running?.ingest.stop()
    closeClients(this.#clients)
  }
}
