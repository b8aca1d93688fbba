/**
 * The life of a store, in its thread: topics, fence, recovery, resume, ingest, close. Each step is a function of its own elsewhere; here
 * is their order.
 */
import { LatchkeyError } from '../errors.ts'
import { type ProducerIdentity } from '../kafka/fence.ts'
import { type CommittedOffset, fetchCommitted, listOffsets } from '../kafka/offsets.ts'
import { loggerOf, RepeatedLog } from '../log.ts'
import { ChiralMap } from '../map/index.ts'
import { type Clients, closeClients, createClients, troubleOf } from './clients.ts'
import { Committer, completenessMetadata, completeSince } from './committer.ts'
import { discardPartition } from './discard.ts'
import { Flusher } from './flusher.ts'
import { Ingest } from './ingest.ts'
import { type FromThread } from './messages.ts'
import { fencedAdvice, Owners } from './owners.ts'
import { recover, type Recovered } from './recovery.ts'
import { type Resume, resumeAt } from './resume.ts'
import { isRecreated } from './source-check.ts'
import { Stats } from './stats.ts'
import { type PartitionState, partitionStates } from './status.ts'
import { type StoreConfig } from './store-config.ts'
import { prepareTopics, type Topology } from './topology.ts'

const log = loggerOf('store')
const renewIntervalMs = 24 * 3600 * 1000
const statsIntervalMs = 500
/** What closing may take for each of: acknowledging what is in flight, publishing it, committing. */
const closeStepMs = 5_000

export class StoreThread {
  readonly #config: StoreConfig
  readonly #post: (message: FromThread) => void
  readonly #clients: Clients
  readonly #owners: Owners
  readonly #failed = Promise.withResolvers<never>()
  readonly #repeated = new RepeatedLog(log)
  #topology: Topology | undefined
  #stats = new Stats([])
  #map: ChiralMap | undefined
  #flusher: Flusher | undefined
  #ingest: Ingest | undefined
  #committer: Committer | undefined
  /** Source offsets that have to be reached for "caught up", of the partitions that have not reached them. */
  readonly #targets = new Map<number, number>()
  readonly #rebuilding = new Set<number>()
  readonly #changelogStarts = new Map<number, number>()
  readonly #timers: ReturnType<typeof setInterval>[] = []
  #hasSample = false
  #trouble: string | undefined
  #closing: Promise<void> | undefined

  constructor(config: StoreConfig, post: (message: FromThread) => void) {
    this.#config = config
    this.#post = post
    this.#clients = createClients(config)
    this.#owners = new Owners(this.#clients.producer, config)
    this.#failed.promise.catch(() => {})
    this.#timers.push(setInterval(() => this.#report(), statsIntervalMs))
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

  confirmed(version: number): void {
    this.#map?.confirmed(0, version)
  }

  /** Resolves, once all that was consumed before is acknowledged and published, with the number of operations made visible meanwhile. */
  async flush(): Promise<number> {
    if (this.#ingest === undefined || this.#flusher === undefined) {
      throw new LatchkeyError('recovering', `Flushing store ${this.#config.storeId}: it is still recovering`)
    }
    const before = this.#stats.count('operationsPublished')
    await this.#ingest.drained()
    await this.#flusher.flush()
    return this.#stats.count('operationsPublished') - before
  }

  /** Stops fetching, finishes and publishes what is in flight, commits; each within a bound. */
  close(): Promise<void> {
    this.#closing ??= this.#close().finally(() => this.#failed.reject(new LatchkeyError('stopping', 'closed')))
    return this.#closing
  }

  async #live(): Promise<void> {
    const { consumer } = this.#clients
    const topology = await prepareTopics(consumer, this.#config)
    const { partitions } = topology
    const map = this.#open(topology)
    await this.#owners.take(partitions)
    const committed = await consumer.persist(() => fetchCommitted(consumer, this.#config.storeId, this.#config.sourceTopic, partitions))
    const recovered = await this.#recover(map, partitions)
    const resumes = await this.#resume(partitions, recovered, committed)
    const ingest = this.#startIngest(map, topology)
    for (const [partition, resume] of resumes) {
      ingest.add(partition, resume.position, this.#owners.identity(partition)!, recovered.get(partition)!.changelogEnd)
    }
    const running = ingest.run()
    running.catch((error) => this.#failed.reject(error))
    await this.#discard(map, ingest, resumes)
    for (const partition of partitions) map.open(partition)
    await this.#flusher!.flush()
    this.#startCommitting(resumes, committed)
    for (const partition of partitions) {
      this.#setState(partition, this.#rebuilding.has(partition) ? 'rebuilding' : 'running')
      ingest.follow(partition)
    }
    if (this.#rebuilding.size === 0) this.#post({ type: 'state', state: 'running' })
    await this.#reached(partitions)
    this.#timers.push(setInterval(() => ingest.renewAll(), renewIntervalMs))
    await running
  }

  #open(topology: Topology): ChiralMap {
    const { partitions } = topology
    const { initialCapacity, readerPoolSize, autoFlushCount, autoFlushSeconds } = this.#config
    this.#topology = topology
    this.#stats = new Stats(partitions)
    const map = new ChiralMap({
      partitions,
      partitionCount: partitions.length,
      initialCapacity,
      readersMax: readerPoolSize,
      readerThreads: 1,
      announce: (message) => this.#post({ type: 'map', message }),
    })
    this.#map = map
    const failed = (error: unknown) => this.#failed.reject(error)
    this.#flusher = new Flusher(map, this.#stats, { count: autoFlushCount, seconds: autoFlushSeconds, failed })
    this.#flusher.published = () => this.#published()
    for (const partition of partitions) this.#setState(partition, 'recovering')
    this.#post({ type: 'opened', partitions, stats: this.#stats.buffer, map: map.shared })
    this.#post({ type: 'state', state: 'recovering' })
    return map
  }

  async #recover(map: ChiralMap, partitions: readonly number[]): Promise<Map<number, Recovered>> {
    const { changelogTopic, fencing } = this.#config
    const start = performance.now()
    const context = {
      client: this.#clients.changelog,
      changelogTopic,
      map,
      stats: this.#stats,
      identityOf: (partition: number) => (fencing ? this.#owners.identity(partition) : undefined),
      fenceAgain: async (partition: number) => void (await this.#owners.renew(partition, this.#owners.identity(partition)!)),
    }
    const recovered = await recover(context, partitions)
    this.#report()
    const seconds = (performance.now() - start) / 1000
    const records = this.#stats.count('recordsRecovered')
    const rate = Math.round(records / Math.max(seconds, 0.001))
    const entries = partitions.reduce((sum, partition) => sum + this.#stats.gauge(partition, 'entries'), 0)
    log.info('Recovered {entries} entries from {records} changelog records in {seconds} s ({rate} records/s)', {
      entries,
      records,
      seconds: Math.round(seconds * 100) / 100,
      rate,
    })
    return recovered
  }

  async #resume(
    partitions: readonly number[],
    recovered: ReadonlyMap<number, Recovered>,
    committed: ReadonlyMap<number, CommittedOffset>,
  ): Promise<Map<number, Resume>> {
    const { consumer } = this.#clients
    const { sourceTopic } = this.#config
    const starts = await consumer.persist(() => listOffsets(consumer, sourceTopic, partitions, 'earliest'))
    const ends = await consumer.persist(() => listOffsets(consumer, sourceTopic, partitions, 'latest'))
    const resumes = new Map<number, Resume>()
    for (const partition of partitions) {
      const { records, changelogStart, last } = recovered.get(partition)!
      const { keepsTimestamps } = this.#topology!.limits
      const sourceRecreated =
        last !== undefined && (await consumer.persist(() => isRecreated(consumer, sourceTopic, partition, last, keepsTimestamps)))
      const resume = resumeAt({
        recordsRecovered: records,
        highestSourceOffset: last?.offset ?? -1,
        changelogStart,
        completeSince: completeSince(committed.get(partition)?.metadata ?? ''),
        committed: committed.get(partition)?.offset ?? -1,
        sourceStart: starts.get(partition)!,
        sourceEnd: ends.get(partition)!,
        sourceRecreated,
      })
      resumes.set(partition, resume)
      this.#targets.set(partition, ends.get(partition)!)
      this.#changelogStarts.set(partition, changelogStart)
      this.#stats.setGauge(partition, 'end', ends.get(partition)!)
      this.#tell(partition, resume, ends.get(partition)!)
    }
    return resumes
  }

  #tell(partition: number, { position, rebuild, lost, reason }: Resume, end: number): void {
    const { sourceTopic } = this.#config
    const properties = { sourceTopic, partition, position, reason, lost, behind: end - position }
    if (rebuild) {
      this.#rebuilding.add(partition)
      this.#stats.setGauge(partition, 'recoveryStart', position)
      this.#stats.setGauge(partition, 'recoveryPosition', position)
      this.#stats.setGauge(partition, 'recoveryEnd', end)
      log.error('{sourceTopic} partition {partition}: rebuilding from offset {position}, because {reason}', properties)
    } else {
      log.debug('{sourceTopic} partition {partition}: going on at offset {position}, {reason}, {behind} records behind', properties)
    }
    if (lost > 0) {
      const message = '{sourceTopic} partition {partition}: {lost} records were removed from the source before they were read; going on at its start, {position}'
      log.error(message, properties)
    }
  }

  #startIngest(map: ChiralMap, topology: Topology): Ingest {
    this.#ingest = new Ingest({
      config: this.#config,
      clients: this.#clients,
      map,
      stats: this.#stats,
      flusher: this.#flusher!,
      limits: topology.limits,
      renew: (partition, held) => this.#renew(partition, held),
      outOfRange: (partition, position) => this.#outOfRange(partition, position),
      progressed: (partition) => this.#progressed(partition),
      lost: (partition, error) => this.#lost(partition, error),
      foreignWrite: (partition, baseOffset) => this.#foreignWrite(partition, baseOffset),
    })
    return this.#ingest
  }

  async #discard(map: ChiralMap, ingest: Ingest, resumes: ReadonlyMap<number, Resume>): Promise<void> {
    for (const [partition, { discard }] of resumes) {
      if (!discard) continue
      const keys = await discardPartition(map, ingest, partition)
      log.warn('Partition {partition}: {keys} keys of the former source topic deleted', { partition, keys })
    }
  }

  #startCommitting(resumes: ReadonlyMap<number, Resume>, committed: ReadonlyMap<number, CommittedOffset>): void {
    const held = new Map([...committed].map(([partition, { offset }]) => [partition, offset]))
    for (const [partition, { discard }] of resumes) if (discard) held.delete(partition)
    const source = {
      acknowledged: () => this.#committable(),
      metadata: (partition: number) => completenessMetadata(this.#changelogStarts.get(partition) ?? 0),
    }
    this.#committer = new Committer(this.#clients.consumer, this.#config, this.#stats, source, held)
    for (const [partition, offset] of held) this.#stats.setGauge(partition, 'committed', offset)
  }

  /** Not while a partition is rebuilt: a commit would state that it is complete. */
  #committable(): Map<number, number> {
    const offsets = new Map<number, number>()
    for (const partition of this.#topology!.partitions) {
      const one = this.#ingest!.partition(partition)
      if (one !== undefined && !this.#rebuilding.has(partition)) offsets.set(partition, one.acknowledged)
    }
    return offsets
  }

  async #renew(partition: number, held: ProducerIdentity): Promise<ProducerIdentity> {
    log.warn('Partition {partition}: taking the changelog anew', { partition })
    return this.#owners.renew(partition, held)
  }

  async #outOfRange(partition: number, position: number): Promise<number> {
    const { consumer } = this.#clients
    const { sourceTopic } = this.#config
    const starts = await listOffsets(consumer, sourceTopic, [partition], 'earliest')
    const start = starts.get(partition)!
    if (position < start) {
      const message = '{sourceTopic} partition {partition}: {lost} records were removed from the source before they were read; going on at its start, {start}'
      log.error(message, { sourceTopic, partition, lost: start - position, start })
      return start
    }
    const message = `Reading ${sourceTopic} partition ${partition}: offset ${position} is past its end, the topic was recreated or truncated; start again to rebuild from it`
    throw new LatchkeyError('store_failed', message)
  }

  #progressed(partition: number): void {
    const target = this.#targets.get(partition)
    if (target === undefined) return
    const { acknowledged } = this.#ingest!.partition(partition)!
    if (this.#rebuilding.has(partition)) this.#stats.setGauge(partition, 'recoveryPosition', Math.min(acknowledged, target))
    if (acknowledged >= target) void this.#reached([partition]).catch((error) => this.#failed.reject(error))
  }

  /** Partitions that are where the source ended at start: visible, they count as caught up. */
  async #reached(partitions: readonly number[]): Promise<void> {
    const reached = partitions.filter((partition) => {
      const target = this.#targets.get(partition)
      return target !== undefined && (this.#ingest!.partition(partition)?.acknowledged ?? -1) >= target
    })
    if (reached.length === 0) return
    for (const partition of reached) this.#targets.delete(partition)
    const done = this.#targets.size === 0
    await this.#flusher!.flush()
    const wasRebuilding = this.#rebuilding.size > 0
    for (const partition of reached) {
      if (this.#rebuilding.delete(partition)) this.#setState(partition, 'running')
    }
    if (wasRebuilding && this.#rebuilding.size === 0) this.#post({ type: 'state', state: 'running' })
    if (!done) return
    log.info('Caught up with {sourceTopic} as it was at start', { sourceTopic: this.#config.sourceTopic })
    this.#post({ type: 'caught-up' })
  }

  #lost(partition: number, error: LatchkeyError): void {
    const reason = fencedAdvice(this.#config.storeId, partition)
    this.#setState(partition, 'fenced')
    this.#targets.delete(partition)
    this.#post({ type: 'fenced', partition, reason })
    log.error('{fault}: {reason}', { fault: error.message, reason })
  }

  #foreignWrite(partition: number, baseOffset: number): void {
    this.#stats.add('foreignWrites', 1)
    const { changelogTopic } = this.#config
    const message =
      '{changelogTopic} partition {partition}: another writer has appended before offset {baseOffset}; find and stop it, then restart this store, which may miss what it wrote'
    this.#repeated.log('error', `foreign ${partition}`, message, { changelogTopic, partition, baseOffset })
  }

  #setState(partition: number, state: PartitionState): void {
    this.#stats.setGauge(partition, 'state', partitionStates.indexOf(state))
  }

  #published(): void {
    this.#reportMap()
    if (this.#hasSample) return
    for (const partition of this.#topology!.partitions) {
      const key = this.#map!.keys(partition).next().value
      if (key === undefined) continue
      this.#hasSample = true
      this.#post({ type: 'sample', key })
      return
    }
  }

  #report(): void {
    this.#reportMap()
    const trouble = troubleOf(this.#clients)
    if (trouble !== this.#trouble) this.#post({ type: 'trouble', trouble: trouble ?? null })
    this.#trouble = trouble
  }

  #reportMap(): void {
    for (const partition of this.#map === undefined ? [] : this.#topology!.partitions) {
      const { entries, liveBytes, totalBytes } = this.#map!.stats(partition)
      this.#stats.setGauge(partition, 'entries', entries)
      this.#stats.setGauge(partition, 'liveBytes', liveBytes)
      this.#stats.setGauge(partition, 'totalBytes', totalBytes)
    }
  }

  async #close(): Promise<void> {
    this.#post({ type: 'state', state: 'stopping' })
    this.#ingest?.stopFetching()
    await within(closeStepMs, this.#ingest?.drained())
    await within(closeStepMs, this.#flusher?.flush())
    await within(closeStepMs, this.#committer?.close())
  }

  #release(): void {
    for (const timer of this.#timers) clearInterval(timer)
    this.#flusher?.stop()
    this.#ingest?.stop()
    closeClients(this.#clients)
  }
}

/** A step of closing: its failure or delay must not keep the rest from happening. */
async function within(ms: number, step: Promise<void> | undefined): Promise<void> {
  if (step === undefined) return
  let timer: ReturnType<typeof setTimeout> | undefined
  const bound = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  await Promise.race([step.catch((error) => log.warn('Closing: {fault}', { fault: String(error) })), bound])
  clearTimeout(timer)
}
