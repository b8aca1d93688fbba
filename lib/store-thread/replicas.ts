/**
 * Replicas of partitions that other instances write. Reads the changelog from its start and then follows it. Writes and
 * commits nothing. Records enter the map as in recovery and ingest (apply.ts).
 */
import type { EndsWatch } from '../kafka/ends-watch.ts'
import { loggerOf } from '../log/index.ts'
import { headerSelectorOf } from '../store-protocol/kept-headers.ts'
import { isHidden, partitionStateOf, setPartitionState } from '../store-protocol/partition-state.ts'
import { changelogFetch } from '../topics/clients.ts'
import { ChangelogReader } from './changelog-reader.ts'
import type { HeldCopy } from './copy-gauges.ts'
import { forgetEnd, type KnownEnd, watchEnds } from './ends.ts'
import { clearRole, setRole } from './holdings.ts'
import { FreePages } from './memory/free-pages.ts'
import type { RestoredSnapshot } from './recovery/restored-snapshot.ts'
import { isAbortMarker } from './recovery/succession.ts'
import { beginningsOf, reserveFor } from './replica-beginnings.ts'
import { ReplicaHandover } from './replica-handover.ts'
import { applyToReplica } from './replica-records.ts'
import { ReplicaRefills } from './replica-refills.ts'
import { ReplicaWatch } from './replica-watch.ts'
import { type Copy, pointOf, type Replica, replicaFrom, replicaOf } from './replica.ts'
import type { StoreContext } from './store-context.ts'

const log = loggerOf('store')

const notInIt = 'it was truncated or recreated, and does not have what is next'

export class Replicas {
  readonly handover: ReplicaHandover
  readonly #context: StoreContext
  readonly #replicas = new Map<number, Replica>()
  readonly #reader: ChangelogReader<Replica>
  #ends: EndsWatch<number> | undefined
  #watch: ReplicaWatch | undefined
  #reading: Promise<void> | undefined
  readonly #refills: ReplicaRefills
  readonly #allFilled = Promise.withResolvers<void>()
  readonly #pages: FreePages
  #becameFilled = () => {}
  #becameFormer = () => {}

  constructor(context: StoreContext) {
    this.#context = context
    const { clients, config, stats } = context
    this.#pages = new FreePages(context.map)
    context.memory.onChange(() => this.#follow(this.#replicas.keys()))
    const fetch = changelogFetch(config)
    this.#reader = new ChangelogReader(clients.replicas, config.changelogTopic, fetch, stats, this.#replicas)
    const reading = {
      stop: (partition: number) => this.#reader.remove(partition),
      continue: (partition: number) => this.#follow([partition]),
    }
    this.#refills = new ReplicaRefills(context, this.#replicas, this.#pages, {
      ...reading,
      began: (partition) => {
        this.#followForSnapshots(partition)
        this.#checkFilled(partition)
      },
    })
    this.handover = new ReplicaHandover(context, this.#replicas, { ...reading, emptied: () => this.#pages.giveBack() })
  }

  /** Resolves when every replica has reached the end that the changelog had at start, and those records are visible. */
  get filled(): Promise<void> {
    return this.#allFilled.promise
  }

  /** Calls a function whenever a replica has been filled. */
  onFilled(listener: () => void): void {
    this.#becameFilled = listener
  }

  /** Calls a function whenever what a replica has is of before a rebuild. Only where partitions come and go. */
  onFormer(listener: () => void): void {
    this.#becameFormer = listener
  }

  copyOf(partition: number): HeldCopy | undefined {
    return this.#replicas.get(partition)
  }

  /** Runs until stop(). */
  async run(): Promise<void> {
    const { replicas } = this.#context.roles
    if (replicas.length === 0) return this.#allFilled.resolve()
    await this.#begin([...replicas])
    await this.#read()
  }

  /** Copies a partition that is not in memory. @param entries that it probably has */
  async add(partition: number, entries = 0): Promise<void> {
    const { map, stats } = this.#context
    map.add(partition)
    setPartitionState(stats, partition, 'recovering')
    setRole(this.#context, partition, 'replica')
    await this.#begin([partition], entries)
    this.#context.snapshots?.own()
    this.#read().catch(this.#context.failed)
  }

  /** Takes a partition out of memory. It is not there any more when this resolves. */
  async drop(partition: number): Promise<void> {
    const { map, flusher, stats, snapshots, changes } = this.#context
    this.#reader.remove(partition)
    this.#replicas.delete(partition)
    // Readers that find nothing look at the state.
    setPartitionState(stats, partition, 'recovering')
    await snapshots?.leave(partition)
    await this.#refills.ended(partition)
    changes.recorder.left(partition)
    changes.lags.forget(partition)
    map.remove(partition)
    await flusher.flush()
    clearRole(this.#context, partition)
    this.#pages.giveBack()
  }

  /** @param entries to make room for in partitions without a snapshot */
  async #begin(partitions: readonly number[], entries = 0): Promise<void> {
    for (const [partition, { replica, restored }] of await beginningsOf(this.#context, partitions)) {
      if (restored === undefined) reserveFor(this.#context, partition, replica, entries)
      this.#replicas.set(partition, replica)
      this.#followForSnapshots(partition, restored)
      this.#follow([partition])
      this.#checkFilled(partition)
    }
  }

  /** Reads the replicas until stop(). */
  #read(): Promise<void> {
    return (this.#reading ??= this.#readOn())
  }

  #readOn(): Promise<void> {
    const { clients, config, stats, roles } = this.#context
    const client = clients.replicas
    const topic = config.changelogTopic
    const headerSelector = headerSelectorOf(config)
    this.#watch = new ReplicaWatch(client, topic, {
      replicas: this.#replicas,
      changed: (partition, found) => void this.#refills.beginAgain(partition, found).catch(this.#context.failed),
      failed: this.#context.failed,
    })
    this.#ends = watchEnds(client, topic, roles.replicas, stats)
    return this.#reader.run({
      records: (partition, replica, batch) => {
        const wasHidden = isHidden(stats, partition)
        const count = applyToReplica(this.#context, partition, replica, batch, headerSelector)
        // Later: it may leave because of that, and is being read now.
        if (!wasHidden && isHidden(stats, partition)) queueMicrotask(this.#becameFormer)
        return count
      },
      control: (_, replica, batch) => {
        if (isAbortMarker(batch)) {
          replica.succession.marked(batch)
          replica.term = batch.baseOffset
        }
        return replica.ending?.note(batch) === true
      },
      passedOver: (replica) => void (replica.isDisputed = true),
      progressed: (partition, replica, known) => this.#progressed(partition, replica, known),
      room: () => this.#context.flusher.room(),
      outOfRange: (partition) => this.#refills.refill(partition, notInIt),
      epochBegan: (partition) => this.#watch?.epochBegan(partition),
    })
  }

  /** Continues a primary as a replica. Without a copy, the partition is read from the start of the changelog. */
  async adopt(partition: number, copy: Copy | undefined): Promise<void> {
    const { clients, stats, failed } = this.#context
    const replica = copy === undefined ? replicaFrom(undefined, 0, 0) : replicaOf(copy)
    this.#replicas.set(partition, replica)
    stats.setGauge(partition, 'position', replica.position)
    // Where the changelog ends now, no broker has said yet: another instance may have taken the partition long ago.
    forgetEnd(stats, partition, replica.position)
    if (copy === undefined) {
      replica.opened = true
      const found = 'what this instance has of it cannot be continued'
      await clients.replicas.retryForever(() => this.#refills.refill(partition, found, 'info'))
    } else {
      setPartitionState(stats, partition, 'running')
      this.#followForSnapshots(partition)
    }
    this.#read().catch(failed)
    this.#follow([partition])
  }

  /** Reads these replicas from their positions on, or not while memory is full: then their lag grows. */
  #follow(partitions: Iterable<number>): void {
    for (const partition of partitions) {
      const replica = this.#replicas.get(partition)
      // One that is being emptied is read again afterwards.
      if (replica === undefined || replica.ending?.end !== undefined || this.#refills.has(partition)) continue
      if (this.#context.memory.mayRead) this.#reader.add(partition, replica.epochs)
      // One that is becoming a primary reads the little that is left. Until then no one writes it.
      else if (replica.ending === undefined) this.#reader.remove(partition)
    }
  }

  stop(): void {
    this.#ends?.stop()
    this.#watch?.stop()
    this.#reader.stop()
    this.#pages.stop()
  }

  #progressed(partition: number, replica: Replica, known: KnownEnd | undefined): void {
    const { stats, changes, flusher, memory } = this.#context
    changes.lags.note(partition, replica.position, known)
    changes.recorder.reached(partition, replica.position)
    changes.positions.noteSource(partition, replica.trail.position)
    if (!replica.filled) stats.setGauge(partition, 'recoveryPosition', Math.min(replica.position, replica.target))
    this.#checkFilled(partition)
    if (replica.opened) flusher.wrote()
    flusher.progressed()
    memory.check()
    const isHeldUp = !memory.mayRead && replica.ending === undefined
    if (isHeldUp || replica.ending?.end !== undefined) this.#reader.remove(partition)
  }

  #followForSnapshots(partition: number, restored?: RestoredSnapshot): void {
    const { snapshots, stats } = this.#context
    const point = () => pointOf(this.#replicas.get(partition), partitionStateOf(stats, partition))
    const { records, source } = this.#replicas.get(partition)!.trail
    snapshots?.follow(partition, { point }, records, source.state, restored)
  }

  #checkFilled(partition: number): void {
    const replica = this.#replicas.get(partition)!
    if (replica.filled || replica.position < replica.target) return
    replica.filled = true
    this.#becomeReadable(partition, replica).catch(this.#context.failed)
  }

  async #becomeReadable(partition: number, replica: Replica): Promise<void> {
    const { map, flusher, stats } = this.#context
    if (!replica.opened) map.open(partition)
    replica.opened = true
    await flusher.flush()
    if (!replica.filled || this.#replicas.get(partition) !== replica) return // another fill, or role, has begun
    setPartitionState(stats, partition, 'running')
    log.info('Replica of partition {partition} has reached the changelog’s end', { partition })
    this.#becameFilled()
    if ([...this.#replicas.values()].every((one) => one.filled)) this.#allFilled.resolve()
  }
}
