/** Lists what a follower begins with, in portions: all entries that it follows, or the keys that it names. */
import { isInstance, LatchkeyError } from '../../errors.ts'
import type { KeyedLookup, StoreReads, WalkPosition } from '../../store-protocol/reads.ts'
import type { FollowedKeyFilter } from './key-filter.ts'

const entriesMax = 256
const valueBytesMax = 1 << 20
/** A partition in such a state is listed when it is complete: then a listing begins again. */
const incomplete: ReadonlySet<string> = new Set(['replica_recovering', 'rebuilding', 'recovering'])
/** A partition that leaves has no entries in a listing of all. */
const absent = 'partition_not_held'

export class Listing {
  readonly #reads: StoreReads
  readonly #keys: readonly Uint8Array[] | undefined
  readonly #prefix: Uint8Array | undefined
  readonly #withValues: boolean
  readonly #filter: FollowedKeyFilter
  /** Those that are left. */
  readonly #partitions: number[]
  #place: WalkPosition | undefined
  #keysDone = 0

  constructor(reads: StoreReads, filter: FollowedKeyFilter, withValues: boolean) {
    const { listed, prefix, partitions } = filter
    this.#reads = reads
    this.#keys = listed
    this.#prefix = prefix.length > 0 ? prefix : undefined
    this.#withValues = withValues
    this.#filter = filter
    this.#partitions = [...(partitions ?? reads.heldPartitions)]
  }

  /** Returns some more entries, perhaps none; undefined at the end. */
  async next(): Promise<readonly KeyedLookup[] | undefined> {
    return this.#keys === undefined ? this.#walk() : this.#lookUp(this.#keys)
  }

  async #lookUp(keys: readonly Uint8Array[]): Promise<readonly KeyedLookup[] | undefined> {
    const some = keys.slice(this.#keysDone, this.#keysDone + entriesMax)
    if (some.length === 0) return undefined
    const { results } = await this.#reads.getMany(some, valueBytesMax)
    const full = results.findIndex((result) => isInstance(result, LatchkeyError) && result.code === 'answer_full')
    const answered = full < 0 ? some : some.slice(0, full)
    this.#keysDone += answered.length
    return answered.flatMap((key, index) => {
      const result = results[index]
      if (result === undefined || isInstance(result, LatchkeyError)) return []
      return this.#filter.wantsPartition(result.partition) ? [{ ...result, key }] : []
    })
  }

  async #walk(): Promise<readonly KeyedLookup[] | undefined> {
    const [partition] = this.#partitions
    if (partition === undefined) return undefined
    const place = this.#place ?? { partition, hash: 0 }
    const bounds = { limit: entriesMax, withValues: this.#withValues, ...(this.#prefix && { prefix: this.#prefix }) }
    try {
      const { entries, next } = await this.#reads.readChunk(place, bounds)
      this.#place = next
      if (next === undefined) this.#partitions.shift()
      return entries
    } catch (error) {
      const code = isInstance(error, LatchkeyError) ? error.code : ''
      if (!incomplete.has(code) && (code !== absent || this.#filter.partitions !== undefined)) throw error
      this.#place = undefined
      this.#partitions.shift()
      return []
    }
  }
}
