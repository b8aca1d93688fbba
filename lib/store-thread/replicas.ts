/**
 * Replicas of partitions that other instances write. Reads the changelog from its start and then follows it. Writes and
 * commits nothing. Records enter the map as in recovery and ingest (apply.ts).
 */
import type { EndsWatch } from '../kafka/ends-watch.ts'
import { listOffsets } from '../kafka/offsets.ts'
import type { RecordBatchReader } from '../kafka/record-batch/index.ts'
import { loggerOf } from '../log/index.ts'
import { type HeaderSelector, headerSelectorOf } from '../store-protocol/kept-headers.ts'
import { partitionStateOf, setPartitionState } from '../store-protocol/partition-state.ts'
import { changelogFetch } from '../topics/clients.ts'
import { applyLateRecords, applyRecords } from './apply.ts'
import { ChangelogReader } from './changelog-reader.ts'
import { ReplicaTrail } from './changes/replica-trail.ts'
import { setEnd, watchEnds } from './ends.ts'
import { FreePages } from './memory/free-pages.ts'
import type { RestoredSnapshot } from './recovery/restored-snapshot.ts'
import { isAbortMarker, Succession } from './recovery/succession.ts'
import { ReplicaHandover } from './replica-handover.ts'
import { ReplicaWatch } from './replica-watch.ts'
import { type Copy, noteBeginning, pointOf, type Replica, replicaFrom, replicaOf } from './replica.ts'
import type { StoreContext } from './store-context.ts'

const log = loggerOf('store')

const notInIt = 'it was truncated or recreated, and does not have what is next'

export class Replicas {
  readonly handover: ReplicaHandover
  readonly #context: StoreContext
  readonly #headerSelector: HeaderSelector | undefined
  readonly #replicas = new Map<number, Replica>()
  readonly #reader: ChangelogReader<Replica>
  #ends: EndsWatch<number> | undefined
  #watch: ReplicaWatch | undefined
  /** Replicas that are being emptied before they start again. */
  readonly #refilling = new Set<number>()
  readonly #allFilled = Promise.withResolvers<void>()
  readonly #pages: FreePages

  constructor(context: StoreContext) {
    this.#context = context
    const { clients, config, stats } = context
    this.#pages = new FreePages(context.map)
    context.memory.onChange(() => this.#follow(this.#replicas.keys()))
    this.#headerSelector = headerSelectorOf(config)
    const fetch = changelogFetch(config)
    this.#reader = new ChangelogReader(clients.replicas, config.changelogTopic, fetch, stats, this.#replicas)
    this.handover = new ReplicaHandover(context, this.#replicas, {
      stop: (partition) => this.#reader.remove(partition),
      continue: (partition) => this.#follow([partition]),
    })
  }

  /** Resolves when every replica has reached the end that the changelog had at start, and those records are visible. */
  get filled(): Promise<void> {
    return this.#allFilled.promise
  }

  /** Runs until stop(). */
  async run(): Promise<void> {
    const { clients, config, stats, roles, snapshots } = this.#context
    const replicas = [...roles.replicas]
    if (replicas.length === 0) return this.#allFilled.resolve()
    const client = clients.replicas
    const starts = await client.retryForever(() => listOffsets(client, config.changelogTopic, replicas, 'earliest'))
    const ends = await client.retryForever(() => listOffsets(client, config.changelogTopic, replicas, 'latest'))
    const without = { identityOf: () => undefined, rebuildOf: () => undefined }
    const restored = await snapshots?.restorer.restore(replicas, { client, ...without })
    for (const [partition, start] of starts) {
      const target = ends.get(partition)!
      const begun = replicaFrom(restored?.get(partition)?.facts, start, target)
      this.#replicas.set(partition, begun)
      this.#followForSnapshots(partition, restored?.get(partition))
      noteBeginning(stats, partition, begun)
      this.#follow([partition])
      this.#checkFilled(partition)
    }
    await this.#read(config.changelogTopic)
  }

  /** Reads the replicas until stop(). */
  #read(topic: string): Promise<void> {
    const { clients, stats, roles } = this.#context
    const client = clients.replicas
    this.#watch = new ReplicaWatch(client, topic, {
      replicas: this.#replicas,
      changed: (partition, found) => void this.#beginAgain(partition, found).catch(this.#context.failed),
      failed: this.#context.failed,
    })
    this.#ends = watchEnds(client, topic, roles.replicas, stats)
    return this.#reader.run({
      records: (partition, replica, batch) => this.#take(partition, replica, batch),
      control: (_, { succession, ending }, batch) => {
        if (isAbortMarker(batch)) succession.marked(batch)
        return ending?.note(batch) === true
      },
      passedOver: (replica) => void (replica.isDisputed = true),
      progressed: (partition, replica, lastStableOffset) => this.#progressed(partition, replica, lastStableOffset),
      room: () => this.#context.flusher.room(),
      outOfRange: (partition) => this.#refill(partition, notInIt),
      epochBegan: (partition) => this.#watch?.epochBegan(partition),
    })
  }

  /** Continues a primary as a replica. Without a copy, the partition is read from the start of the changelog. */
  async adopt(partition: number, copy: Copy | undefined): Promise<void> {
    const { clients, config, stats, failed } = this.#context
    const replica = copy === undefined ? replicaFrom(undefined, 0, 0) : replicaOf(copy)
    this.#replicas.set(partition, replica)
    stats.setGauge(partition, 'position', replica.position)
    setEnd(stats, partition, replica.position)
    if (copy === undefined) {
      replica.opened = true
      const found = 'what this instance has of it cannot be continued'
      await clients.replicas.retryForever(() => this.#refill(partition, found))
    } else {
      setPartitionState(stats, partition, 'running')
      this.#followForSnapshots(partition)
    }
    if (this.#watch === undefined) this.#read(config.changelogTopic).catch(failed)
    this.#follow([partition])
  }

  /** Reads these replicas from their positions on, or not while memory is full: then their lag grows. */
  #follow(partitions: Iterable<number>): void {
    // One that is being emptied is read again afterwards.
    const isRead = (one: number) => !this.#refilling.has(one) && this.#replicas.get(one)?.ending?.end === undefined
    for (const partition of [...partitions].filter((one) => isRead(one))) {
      if (!this.#context.memory.mayRead) this.#reader.remove(partition)
      else this.#reader.add(partition, this.#replicas.get(partition)!.epochs)
    }
  }

  stop(): void {
    this.#ends?.stop()
    this.#watch?.stop()
    this.#reader.stop()
    this.#pages.stop()
  }

  #take(partition: number, replica: Replica, batch: RecordBatchReader): number {
    const { map, stats, changes, snapshots } = this.#context
    const isLate = replica.succession.isLate(batch)
    if (isLate) replica.isDisputed = true
    // A primary that began with a snapshot of this replica would not find the late records.
    if (isLate) snapshots?.leave(partition)
    const recording = changes.recorder.trailOf(partition, 0)
    replica.trail.recordBy(snapshots === undefined ? recording : snapshots.trailOf(partition, 0, recording))
    // The primary corrects late records. Until then the replica shows no older value.
    return isLate
      ? applyLateRecords(map, partition, batch, replica.position, replica.trail, this.#headerSelector)
      : applyRecords(map, stats, partition, batch, replica.position, replica.trail, this.#headerSelector)
  }

  #progressed(partition: number, replica: Replica, lastStableOffset: number | undefined): void {
    const { stats, changes, flusher, memory } = this.#context
    if (lastStableOffset !== undefined) setEnd(stats, partition, lastStableOffset)
    stats.setGauge(partition, 'position', replica.position)
    changes.recorder.reached(partition, replica.position)
    changes.positions.noteSource(partition, replica.trail.position)
    if (!replica.filled) stats.setGauge(partition, 'recoveryPosition', Math.min(replica.position, replica.target))
    this.#checkFilled(partition)
    if (replica.opened) flusher.wrote()
    flusher.progressed()
    memory.check()
    if (!memory.mayRead || replica.ending?.end !== undefined) this.#reader.remove(partition)
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
    if ([...this.#replicas.values()].every((one) => one.filled)) this.#allFilled.resolve()
  }

  /** Starts a replica again: its position is in the changelog, but the records that were read before it are not. */
  async #beginAgain(partition: number, found: string): Promise<void> {
    if (this.#refilling.has(partition)) return
    this.#reader.remove(partition)
    const { replicas } = this.#context.clients
    try {
      await replicas.retryForever(() => this.#refill(partition, found))
      this.#follow([partition])
    } catch (error) {
      if (!replicas.signal.aborted) throw error
    }
  }

  /** Empties and restarts a replica: the changelog was truncated or recreated, and the replica may hold any values. */
  async #refill(partition: number, found: string): Promise<number> {
    this.#refilling.add(partition)
    try {
      return await this.#empty(partition, found)
    } finally {
      this.#refilling.delete(partition)
    }
  }

  async #empty(partition: number, found: string): Promise<number> {
    const { clients, config, map, stats, flusher } = this.#context
    const client = clients.replicas
    const { changelogTopic } = config
    const starts = await listOffsets(client, changelogTopic, [partition], 'earliest')
    const ends = await listOffsets(client, changelogTopic, [partition], 'latest')
    const replica = this.#replicas.get(partition)
    if (replica === undefined) return 0 // it has left meanwhile
    replica.isDisputed = false
    const message =
      '{changelogTopic} partition {partition}: {found}. It had been read up to offset {position}; reading it again'
    log.error(message, { changelogTopic, partition, found, position: replica.position })
    setPartitionState(stats, partition, 'recovering')
    // Set at once, because #becomeReadable() may be about to mark the replica as filled.
    replica.filled = false
    if (replica.opened) {
      replica.opened = false
      map.remove(partition)
      await flusher.flush()
      map.add(partition)
      this.#pages.giveBack()
    } else map.clear(partition)
    replica.epochs.cut(0)
    replica.succession = new Succession()
    replica.trail = new ReplicaTrail()
    replica.start = starts.get(partition)!
    replica.position = replica.start
    this.#followForSnapshots(partition)
    replica.target = ends.get(partition)!
    this.#checkFilled(partition)
    return replica.position
  }
}
