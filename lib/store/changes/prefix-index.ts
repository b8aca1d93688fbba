/**
 * Finds which of many prefixes a key begins with, at the cost of a search among sorted ones: each changed key is compared,
 * and there may be a thousand prefixes.
 */
export class PrefixEntry<T> {
  readonly prefix: Uint8Array
  readonly values: readonly T[]
  /** The longest other prefix with which this one begins. */
  readonly parent: PrefixEntry<T> | undefined

  constructor(prefix: Uint8Array, values: readonly T[], parent: PrefixEntry<T> | undefined) {
    this.prefix = prefix
    this.values = values
    this.parent = parent
  }
}

export class PrefixIndex<T> {
  /** In order of their bytes. */
  readonly #entries: readonly PrefixEntry<T>[]

  /** @param values several may have the same prefix */
  constructor(values: Iterable<T>, prefixOf: (value: T) => Uint8Array) {
    const sorted = [...values].toSorted((a, b) => Buffer.compare(prefixOf(a), prefixOf(b)))
    const entries: PrefixEntry<T>[] = []
    for (let from = 0, to = 0; from < sorted.length; from = to) {
      const prefix = prefixOf(sorted[from]!)
      while (to < sorted.length && Buffer.compare(prefix, prefixOf(sorted[to]!)) === 0) to++
      let parent = entries.at(-1)
      while (parent !== undefined && commonLength(prefix, 0, prefix.length, parent.prefix) < parent.prefix.length) {
        parent = parent.parent
      }
      entries.push(new PrefixEntry(prefix, sorted.slice(from, to), parent))
    }
    this.#entries = entries
  }

  /** Returns the longest prefix with which a key begins; its parents are the others. */
  find(data: Uint8Array, start: number, length: number): PrefixEntry<T> | undefined {
    let low = 0
    let high = this.#entries.length
    let common = 0
    while (low < high) {
      const middle = (low + high) >>> 1
      const { prefix } = this.#entries[middle]!
      const shared = commonLength(data, start, length, prefix)
      const isAfter = shared < prefix.length && (shared === length || prefix[shared]! > data[start + shared]!)
      if (isAfter) high = middle
      else {
        low = middle + 1
        common = shared
      }
    }
    // All prefixes of the key are before it, and the last one before it begins with each of them.
    let entry = low > 0 ? this.#entries[low - 1] : undefined
    while (entry !== undefined && entry.prefix.length > common) entry = entry.parent
    return entry
  }
}

function commonLength(data: Uint8Array, start: number, length: number, prefix: Uint8Array): number {
  const end = Math.min(length, prefix.length)
  let at = 0
  while (at < end && data[start + at] === prefix[at]) at++
  return at
}
