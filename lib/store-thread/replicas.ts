/**
 * Copies of partitions that other instances write. Reads the changelog from its start and then follows it. Writes and
 * commits nothing. Records enter the map as in recovery and ingest (apply.ts).
 */
import type { EndsWatch } from '../kafka/ends-watch.ts'
import { EpochTrail } from '../kafka/epoch-trail.ts'
import { listOffsets } from '../kafka/offsets.ts'
import type { RecordBatchReader } from '../kafka/record-batch/index.ts'
import { loggerOf } from '../log/index.ts'
import { type HeaderSelector, headerSelectorOf } from '../store-protocol/kept-headers.ts'
import { setPartitionState } from '../store-protocol/partition-state.ts'
import { changelogFetch } from '../topics/clients.ts'
import { applyLateRecords, applyRecords } from './apply.ts'
import { type ChangelogPosition, ChangelogReader } from './changelog-reader.ts'
import { CopyTrail } from './changes/copy-trail.ts'
import { setEnd, watchEnds } from './ends.ts'
import { isAbortMarker, Succession } from './recovery/succession.ts'
import { ReplicaWatch } from './replica-watch.ts'
import type { StoreContext } from './store-context.ts'

const log = loggerOf('store')

const notInIt = 'it was truncated or recreated, and does not have what is next'
/** Deletions between two flushes while a copy is emptied. */
const emptyingOperationsMax = 100_000

interface Copy extends ChangelogPosition {
  /** Leader epochs of the records that were read. */
  readonly epochs: EpochTrail
  trail: CopyTrail
  /** Owners that wrote those records. */
  succession: Succession
  /** End of the changelog when the copy started. The copy counts as filled when it reaches this offset. */
  target: number
  filled: boolean
  /** Readable: the first fill is done, even if another fill is running. */
  opened: boolean
}

export class Replicas {
  readonly #context: StoreContext
  readonly #headerSelector: HeaderSelector | undefined
  readonly #copies = new Map<number, Copy>()
  readonly #reader: ChangelogReader<Copy>
  #ends: EndsWatch<number> | undefined
  #watch: ReplicaWatch | undefined
  /** Copies that are being emptied before they start again. */
  readonly #refilling = new Set<number>()
  readonly #allFilled = Promise.withResolvers<void>()

  constructor(context: StoreContext) {
    this.#context = context
    const { clients, config, stats } = context
    this.#headerSelector = headerSelectorOf(config)
    const { changelogTopic: topic } = config
    this.#reader = new ChangelogReader(clients.replicas, topic, changelogFetch(config), stats, this.#copies)
  }

  /** Resolves when every copy has reached the end that the changelog had at start, and those records are visible. */
  get filled(): Promise<void> {
    return this.#allFilled.promise
  }

  /** Runs until stop(). */
  async run(): Promise<void> {
    const { clients, config, stats, roles } = this.#context
    const { replicas } = roles
    if (replicas.length === 0) return this.#allFilled.resolve()
    const client = clients.replicas
    const starts = await client.retryForever(() => listOffsets(client, config.changelogTopic, replicas, 'earliest'))
    const ends = await client.retryForever(() => listOffsets(client, config.changelogTopic, replicas, 'latest'))
    for (const partition of replicas) {
      const position = starts.get(partition)!
      const target = ends.get(partition)!
      const epochs = new EpochTrail()
      const begun = { epochs, trail: new CopyTrail(), succession: new Succession() }
      this.#copies.set(partition, { position, ...begun, target, filled: false, opened: false })
      stats.setGauge(partition, 'recoveryStart', position)
      stats.setGauge(partition, 'recoveryPosition', position)
      stats.setGauge(partition, 'recoveryEnd', Math.max(target, position))
      this.#reader.add(partition, epochs)
      this.#checkFilled(partition)
    }
    this.#watch = new ReplicaWatch(client, config.changelogTopic, {
      copies: this.#copies,
      changed: (partition, found) => void this.#beginAgain(partition, found).catch(this.#context.failed),
      failed: this.#context.failed,
    })
    this.#ends = watchEnds(client, config.changelogTopic, replicas, stats)
    await this.#reader.run({
      records: (partition, copy, batch) => this.#take(partition, copy, batch),
      control: (_, { succession }, batch) => {
        if (isAbortMarker(batch)) succession.marked(batch)
        return false
      },
      progressed: (partition, copy, lastStableOffset) => this.#progressed(partition, copy, lastStableOffset),
      room: () => this.#context.flusher.room(),
      outOfRange: (partition) => this.#refill(partition, notInIt),
      epochBegan: (partition) => this.#watch?.epochBegan(partition),
    })
  }

  stop(): void {
    this.#ends?.stop()
    this.#watch?.stop()
    this.#reader.stop()
  }

  #take(partition: number, copy: Copy, batch: RecordBatchReader): number {
    const { map, stats, changes } = this.#context
    copy.trail.recordBy(changes.recorder.trailOf(partition, 0))
    // The primary corrects late records. Until then the copy shows no older value.
    return copy.succession.isLate(batch)
      ? applyLateRecords(map, partition, batch, copy.position, copy.trail, this.#headerSelector)
      : applyRecords(map, stats, partition, batch, copy.position, copy.trail, this.#headerSelector)
  }

  #progressed(partition: number, copy: Copy, lastStableOffset: number | undefined): void {
    const { stats, changes, flusher } = this.#context
    if (lastStableOffset !== undefined) setEnd(stats, partition, lastStableOffset)
    stats.setGauge(partition, 'position', copy.position)
    changes.recorder.reached(partition, copy.position)
    changes.positions.noteSource(partition, copy.trail.position)
    if (!copy.filled) stats.setGauge(partition, 'recoveryPosition', Math.min(copy.position, copy.target))
    this.#checkFilled(partition)
    if (copy.opened) flusher.wrote()
    flusher.progressed()
  }

  #checkFilled(partition: number): void {
    const copy = this.#copies.get(partition)!
    if (copy.filled || copy.position < copy.target) return
    copy.filled = true
    this.#becomeReadable(partition, copy).catch(this.#context.failed)
  }

  async #becomeReadable(partition: number, copy: Copy): Promise<void> {
    const { map, flusher, stats } = this.#context
    if (!copy.opened) map.open(partition)
    copy.opened = true
    await flusher.flush()
    if (!copy.filled) return // another fill has started
    setPartitionState(stats, partition, 'running')
    log.info('Replica of partition {partition} has reached the changelog’s end', { partition })
    if ([...this.#copies.values()].every((one) => one.filled)) this.#allFilled.resolve()
  }

  /** Starts a copy again: its position is in the changelog, but the records that were read before it are not. */
  async #beginAgain(partition: number, found: string): Promise<void> {
    if (this.#refilling.has(partition)) return
    this.#reader.remove(partition)
    const { replicas } = this.#context.clients
    try {
      await replicas.retryForever(() => this.#refill(partition, found))
      this.#reader.add(partition, this.#copies.get(partition)!.epochs)
    } catch (error) {
      if (!replicas.signal.aborted) throw error
    }
  }

  /** Empties and restarts a copy, because the changelog was truncated or recreated and the copy may hold any values. */
  async #refill(partition: number, found: string): Promise<number> {
    this.#refilling.add(partition)
    try {
      return await this.#empty(partition, found)
    } finally {
      this.#refilling.delete(partition)
    }
  }

  async #empty(partition: number, found: string): Promise<number> {
    const { clients, config, map, stats } = this.#context
    const client = clients.replicas
    const { changelogTopic } = config
    const starts = await listOffsets(client, changelogTopic, [partition], 'earliest')
    const ends = await listOffsets(client, changelogTopic, [partition], 'latest')
    const copy = this.#copies.get(partition)!
    const message =
      '{changelogTopic} partition {partition}: {found}. It had been read up to offset {position}; copying it again'
    log.error(message, { changelogTopic, partition, found, position: copy.position })
    setPartitionState(stats, partition, 'recovering')
    // Set at once, because #becomeReadable() may be about to mark the copy as filled.
    copy.filled = false
    if (copy.opened) await this.#deleteAll(partition)
    else map.clear(partition)
    copy.epochs.cut(0)
    copy.succession = new Succession()
    copy.trail = new CopyTrail()
    copy.position = starts.get(partition)!
    copy.target = ends.get(partition)!
    this.#checkFilled(partition)
    return copy.position
  }

  /** Deletes all keys of a readable copy. */
  async #deleteAll(partition: number): Promise<void> {
    const { map, flusher } = this.#context
    // keys() returns published keys only.
    await flusher.flush()
    for (const key of map.keys(partition)) {
      map.put(partition, key, 0, key.length, 0, -1, -1, -1)
      if (map.oplogLength >= emptyingOperationsMax) await flusher.flush()
    }
  }
}
