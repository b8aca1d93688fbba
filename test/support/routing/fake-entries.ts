/** A store of an instance without Kafka that is walked and counted, too. Keys may be in other partitions than theirs. */
import { LatchkeyError } from '../../../lib/errors.ts'
import { setPartitionState } from '../../../lib/store-protocol/partition-state.ts'
import type {
  ChunkBounds,
  EntryCount,
  KeyedLookup,
  WalkChunk,
  WalkPosition,
} from '../../../lib/store-protocol/reads.ts'
import { Stats } from '../../../lib/store-protocol/stats.ts'
import type { Lookup } from '../../../lib/store-protocol/status.ts'
import { chunkOf } from '../http/fake-reads.ts'
import { FakeCopies } from './fake-copies.ts'

export class FakeEntries extends FakeCopies {
  override readonly walkMark: string
  override stats = new Stats([0, 1, 2, 3])
  /** Where keys are that are not where the partitioner puts them. */
  readonly strays = new Map<string, number>()
  /** What walks, counts and flushes do first, such as to throw or to wait. */
  beforeRead: () => void | Promise<void> = () => {}
  flushed = 0
  chunks = 0

  constructor(mark: string) {
    super()
    this.walkMark = mark
    for (const partition of [0, 1, 2, 3]) setPartitionState(this.stats, partition, 'running')
    const own = this.onGet
    this.onGet = (key) => (this.strays.has(Buffer.from(key).toString()) ? this.#stray(key) : own(key))
    this.onFlush = async () => {
      await this.beforeRead()
      this.flushed++
      return 10
    }
    this.onRead = () => this.beforeRead()
  }

  override async readChunk(position: WalkPosition, bounds: ChunkBounds): Promise<WalkChunk> {
    await this.beforeRead()
    this.chunks++
    const { role, lag } = this.copies.of(position.partition)
    if (role < 0) throw this.#notHeld(position.partition)
    const { entries, ...chunk } = chunkOf(this.#entries, position, bounds)
    const shown = entries.map((entry) => (lag === undefined ? entry : { ...entry, replicaLag: lag }))
    return { epoch: this.epoch, ...chunk, entries: shown }
  }

  override count(partitions = this.heldPartitions): EntryCount | Promise<EntryCount> {
    const count = (): EntryCount => {
      const counts = partitions.map((partition) => {
        if (this.copies.of(partition).role < 0) throw this.#notHeld(partition)
        return this.#entries.filter((entry) => entry.partition === partition).length
      })
      return { epoch: this.epoch, count: counts.reduce((sum, one) => sum + one, 0), counts }
    }
    const before = this.beforeRead()
    return before ? before.then(count) : count()
  }

  /** Everything before a source offset is visible from now on. */
  visible(partition: number, offset: number): void {
    this.epoch++
    this.stats.setGauge(partition, 'visible', offset)
    this.changes.visible.set(partition, offset)
  }

  get #entries(): KeyedLookup[] {
    return [...this.records].map(([name, value]) => {
      const key = Buffer.from(name)
      const partition = this.strays.get(name) ?? this.partitionOf(key)
      return { key, value: Buffer.from(value), partition, offset: 7, timestamp: 1_700_000_000_000 }
    })
  }

  #stray(key: Uint8Array): Lookup | undefined {
    const name = Buffer.from(key).toString()
    const partition = this.strays.get(name)
    if (partition === undefined) return undefined
    const { role, lag } = this.copies.of(partition)
    const value = this.records.get(name)
    if (role < 0 || value === undefined) {
      if (this.copies.of(this.partitionOf(key)).role >= 0) return undefined
      throw this.#notHeld(this.partitionOf(key))
    }
    const found: Lookup = { value: Buffer.from(value), partition, offset: 7, timestamp: 1_700_000_000_000 }
    return lag === undefined ? found : { ...found, replicaLag: lag }
  }

  #notHeld(partition: number): LatchkeyError {
    return new LatchkeyError('partition_not_held', `Reading: partition ${partition} is not held here`, {
      details: { partition },
    })
  }
}
