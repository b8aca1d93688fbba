/**
 * Reads of keys that have just changed, for all followers of a thread: what one of them has read since the last publish,
 * the others get as well. It is never older than that publish. So a busy key is read once for a thousand followers, and
 * they can see that it is the same.
 */
import { isInstance, LatchkeyError } from '../../errors.ts'
import type { ManyLookups, StoreReads } from '../../store-protocol/reads.ts'
import type { Lookup } from '../../store-protocol/status.ts'
import { latin1 } from './key-filter.ts'

type KeyReads = Pick<StoreReads, 'getMany'>

const keysMax = 1_024
const bytesMax = 4 << 20

export class SharedReads implements KeyReads {
  readonly #reads: KeyReads
  /** By key; undefined for keys that do not exist. */
  #known = new Map<string, Lookup | undefined>()
  #knownBytes = 0
  /** Of the last read that is known. */
  #epoch = 0

  constructor(reads: KeyReads) {
    this.#reads = reads
  }

  /** To be called when something was published. */
  forget(): void {
    // Reads that are under way keep what they find in the former one.
    this.#known = new Map()
    this.#knownBytes = 0
  }

  getMany(keys: readonly Uint8Array[], maxBytes: number): ManyLookups | Promise<ManyLookups> {
    const names = keys.map(latin1)
    const shared = this.#all(names, maxBytes)
    if (shared !== undefined) return shared
    const known = this.#known
    const found = this.#reads.getMany(keys, maxBytes)
    const keep = (many: ManyLookups) => {
      if (known === this.#known) this.#keep(names, many)
      return many
    }
    return found instanceof Promise ? found.then(keep) : keep(found)
  }

  /** @returns undefined if one of the keys is not known, or if there are too many bytes */
  #all(names: readonly string[], maxBytes: number): ManyLookups | undefined {
    const results: (Lookup | undefined)[] = []
    let bytes = 0
    for (const name of names) {
      const result = this.#known.get(name)
      if (result === undefined && !this.#known.has(name)) return undefined
      bytes += result?.value.length ?? 0
      results.push(result)
    }
    return bytes > maxBytes && results.length > 1 ? undefined : { epoch: 0, results }
  }

  /** What is read later replaces what is known: a follower that has got the newer value must not get the older one after it. */
  #keep(names: readonly string[], { epoch, results }: ManyLookups): void {
    if (epoch < this.#epoch) return
    this.#epoch = epoch
    for (const [index, name] of names.entries()) {
      const result = results[index]
      if (isInstance(result, LatchkeyError)) continue
      const bytes = result?.value.length ?? 0
      this.#knownBytes -= this.#known.get(name)?.value.length ?? 0
      this.#known.delete(name)
      if (this.#known.size >= keysMax || this.#knownBytes + bytes > bytesMax) continue
      this.#known.set(name, result)
      this.#knownBytes += bytes
    }
  }
}
