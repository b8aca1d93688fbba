/** A store without Kafka, as the Redis protocol sees one. */
import { LatchkeyError } from '../../../lib/errors.ts'
import type { RespStore } from '../../../lib/resp/index.ts'
import type { ChunkBounds, ManyLookups, WalkChunk, WalkPosition } from '../../../lib/store-protocol/reads.ts'
import type { Lookup } from '../../../lib/store-protocol/status.ts'
import { FakeStore } from '../http/fake-store.ts'
import { FakeWatches } from './fake-watch.ts'

export class RespFakeStore extends FakeStore implements RespStore {
  override readonly changes = new FakeWatches()
  override heldPartitions = [0, 1]
  /** Called before each chunk of a walk. */
  onChunk: (position: WalkPosition) => void | Promise<void> = () => {}
  /** Keys by partition, in the order of their hashes, which are 100 apart. */
  readonly #keys = new Map<number, Uint8Array[]>()

  override put(
    key: string | Uint8Array,
    value: string | Uint8Array,
    record: Partial<Omit<Lookup, 'value'>> = {},
  ): void {
    const partition = record.partition ?? 0
    super.put(key, value, { partition, ...record })
    const keys = this.#keys.get(partition) ?? []
    this.#keys.set(partition, [...keys, typeof key === 'string' ? Buffer.from(key) : key])
  }

  /** Stores a value, or deletes the key, and lets those who watch see it. */
  change(key: string | Uint8Array, value: string | undefined): void {
    if (value === undefined) this.delete(key)
    else this.put(key, value)
    const isDeletion = value === undefined
    this.changes.change({ key: typeof key === 'string' ? new Uint8Array(Buffer.from(key)) : key, isDeletion })
  }

  override getMany(keys: readonly Uint8Array[], bytesMax: number): ManyLookups | Promise<ManyLookups> {
    const found = keys.map((key) => this.#resultOf(key))
    const many = (results: (Lookup | LatchkeyError | undefined)[]) => ({
      epoch: 1,
      results: withinBytes(results, bytesMax),
    })
    if (found.some((one) => one instanceof Promise)) return Promise.all(found).then(many)
    return many(found as (Lookup | LatchkeyError | undefined)[])
  }

  override async readChunk(
    position: WalkPosition,
    { limit, prefix = new Uint8Array(0) }: ChunkBounds,
  ): Promise<WalkChunk> {
    await this.onChunk(position)
    const keys = this.#keys.get(position.partition) ?? []
    const from = Math.ceil(position.hash / 100)
    const examined = keys.slice(from, from + Math.min(limit, 50))
    const isAtEnd = from + examined.length >= keys.length
    return {
      epoch: 1,
      entries: examined
        .filter((key) => Buffer.from(key).subarray(0, prefix.length).equals(prefix))
        .map((key) => ({ key, value: new Uint8Array(0), partition: position.partition, offset: 1, timestamp: 1 })),
      examined: examined.length,
      next: isAtEnd ? undefined : { partition: position.partition, hash: (from + examined.length) * 100 },
    }
  }

  override count(): { epoch: number; count: number } {
    return { epoch: 1, count: [...this.#keys.values()].reduce((sum, keys) => sum + keys.length, 0) }
  }

  #resultOf(key: Uint8Array): Lookup | LatchkeyError | undefined | Promise<Lookup | LatchkeyError | undefined> {
    try {
      const found = this.get(key)
      return found instanceof Promise ? found.catch(asResult) : found
    } catch (thrown) {
      return asResult(thrown)
    }
  }
}

/** What concerns one key is its result; all else refuses all keys. */
function asResult(thrown: unknown): LatchkeyError {
  if (thrown instanceof LatchkeyError && thrown.code === 'partition_not_held') return thrown
  throw thrown
}

function withinBytes(results: (Lookup | LatchkeyError | undefined)[], bytesMax: number) {
  let bytes = 0
  let isFirst = true
  return results.map((result) => {
    if (result === undefined || result instanceof LatchkeyError) return result
    bytes += result.value.length
    const isLeftOut = bytes > bytesMax && !isFirst
    isFirst = false
    return isLeftOut ? new LatchkeyError('answer_full', 'Reading many keys: full') : result
  })
}
