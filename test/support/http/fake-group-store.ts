/** What HTTP sees of a store in a group: partitions 0 and 1 are read here, by `i1`, and the others by `i2`. */
import type {
  ChunkBounds,
  EntryCount,
  ManyLookups,
  WalkChunk,
  WalkPosition,
} from '../../../lib/store-protocol/reads.ts'
import { FakeStore } from './fake-store.ts'

export class FakeGroupStore extends FakeStore {
  readonly readsGroup = true
  readonly epochs: Record<string, number> = { i1: 42, i2: 7 }
  /** Of the process that has the partitions 2 and 3. */
  otherMark = 'm2'
  /** Chunks that another instance has read. */
  fetched = 0

  override getMany(keys: readonly Uint8Array[], bytesMax: number): ManyLookups {
    const { results } = super.getMany(keys, bytesMax) as ManyLookups
    return { epoch: 0, epochs: this.epochs, results }
  }

  override readChunk(position: WalkPosition, bounds: ChunkBounds): WalkChunk {
    return this.#chunk(position, bounds, 'i1', this.walkMark)
  }

  fetchChunk(position: WalkPosition, bounds: ChunkBounds): Promise<WalkChunk> | undefined {
    if (position.partition < 2) return undefined
    this.fetched++
    return Promise.resolve(this.#chunk(position, bounds, 'i2', this.otherMark))
  }

  override count(): EntryCount {
    return { epoch: 0, epochs: this.epochs, count: (super.count() as EntryCount).count }
  }

  #chunk(position: WalkPosition, bounds: ChunkBounds, instance: string, mark: string): WalkChunk {
    const isRestart = position.hash > 0 && (position.mark ?? this.walkMark) !== mark
    const at = isRestart ? { ...position, hash: 0 } : position
    const { next, ...chunk } = super.readChunk(at, bounds) as WalkChunk
    const epoch = this.epochs[instance]!
    return { ...chunk, epoch, instance, isRestart, next: next && { ...next, mark } }
  }
}
