/** Reads of several entries as a store does them, over entries in a list. */
import { isInstance, LatchkeyError } from '../../../lib/errors.ts'
import type {
  ChunkBounds,
  KeyedLookup,
  ManyLookups,
  WalkChunk,
  WalkPosition,
} from '../../../lib/store-protocol/reads.ts'
import type { Lookup } from '../../../lib/store-protocol/status.ts'

export type FakeEntry = KeyedLookup

/** Bounds of a chunk. */
const slotsMax = 8_192
const chunkBytesMax = 1_048_576

export function manyOf(
  keys: readonly Uint8Array[],
  bytesMax: number,
  get: (key: Uint8Array) => Lookup | undefined | Promise<Lookup | undefined>,
): ManyLookups['results'] {
  let bytes = 0
  let isFull = false
  return keys.map((key) => {
    try {
      const found = get(key)
      if (found instanceof Promise) throw new TypeError('A fake store answers many keys at once')
      if (found === undefined) return found
      isFull ||= bytes > 0 && bytes + found.value.length > bytesMax
      if (isFull) return new LatchkeyError('answer_full', 'Full')
      bytes += found.value.length
      return found
    } catch (thrown) {
      if (isInstance(thrown, LatchkeyError)) return thrown
      throw thrown
    }
  })
}

/** In order of hash; entries of equal hash are never cut. */
export function chunkOf(
  entries: readonly FakeEntry[],
  { partition, hash }: WalkPosition,
  { limit, prefix, withValues }: ChunkBounds,
): Omit<WalkChunk, 'epoch'> {
  const sorted = entries
    .filter((entry) => entry.partition === partition)
    .map((entry) => ({ entry, hash: hashOf(entry.key) }))
    .filter((entry) => entry.hash >= hash)
    .toSorted((a, b) => a.hash - b.hash)
  const found: KeyedLookup[] = []
  let examined = 0
  let bytes = 0
  for (const [index, { entry, hash: at }] of sorted.entries()) {
    const isBoundary = index === 0 || sorted[index - 1]!.hash !== at
    if (isBoundary && (found.length >= limit || examined >= slotsMax || bytes >= chunkBytesMax)) {
      return { entries: found, examined, next: { partition, hash: at } }
    }
    examined++
    bytes += entry.value.length
    if (prefix !== undefined && !startsWith(entry.key, prefix)) continue
    found.push({ ...entry, key: entry.key.slice(), value: withValues ? entry.value.slice() : new Uint8Array() })
  }
  return { entries: found, examined, next: undefined }
}

export function hashOf(key: Uint8Array): number {
  return Bun.hash.xxHash32(key)
}

function startsWith(key: Uint8Array, prefix: Uint8Array): boolean {
  return Buffer.compare(key.subarray(0, prefix.length), prefix) === 0
}
