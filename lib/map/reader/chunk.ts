/** Reads a range of hashes of one partition: a part of a walk, short enough to stay inside the map for it. */
import { headerBytes, type LogView, type Segment } from '../memory/entry.ts'
import { hashesEnd, HashRange, rangeEnd } from '../memory/hash-range.ts'
import { chunkBytesMax, chunkMaxMs, chunkSlotsMax, chunkStepSlots } from '../memory/limits.ts'
import type { TableView } from '../memory/probe.ts'
import type { KeyedMapEntry } from './map-entry.ts'

export interface MapChunkBounds {
  /** Entries to return at most, at least 1. Entries of equal hash may exceed it. */
  readonly limit: number
  /** Only keys that begin with these bytes. */
  readonly prefix?: Uint8Array
  /** False: values are empty. */
  readonly withValues: boolean
}

export interface MapChunk {
  readonly entries: KeyedMapEntry[]
  /** Entries that were looked at. */
  readonly examined: number
  /** Bytes of the copied keys and values. */
  readonly bytes: number
  /** Hash at which the next chunk begins; undefined at the end of the partition. */
  readonly next: number | undefined
}

const none = new Uint8Array(0)
/** Each thread has its own copy of this module, and a chunk is read without an interruption. */
const range = new HashRange()

/** @param from the first unsigned hash */
export function readChunk(
  log: LogView,
  table: TableView,
  partition: number,
  from: number,
  bounds: MapChunkBounds,
): MapChunk {
  const { limit, prefix = none, withValues } = bounds
  const until = performance.now() + chunkMaxMs
  const entries: KeyedMapEntry[] = []
  let examined = 0
  let slots = 0
  let bytes = 0
  let position = from
  while (position < hashesEnd) {
    const left = limit - entries.length
    const homes = prefix.length > 0 ? chunkStepSlots : Math.min(chunkStepSlots, 16 + 2 * left)
    const to = rangeEnd(table, position, homes)
    range.collect(table, position, to)
    range.touch(log)
    const { hashes, addresses, count } = range
    for (let i = 0; i < count; i++) {
      const isFull = entries.length >= limit || bytes >= chunkBytesMax
      // The next chunk begins with a hash, so this one contains all entries of a hash or none.
      if (isFull && (i === 0 || hashes[i] !== hashes[i - 1])) return { entries, examined, bytes, next: hashes[i]! }
      examined++
      const address = addresses[i]!
      const segment = log.segments[address >>> log.offsetBits]!
      const at = (address & log.offsetMask) << 3
      if (!beginsWith(segment, at, prefix)) continue
      const entry = copyOf(segment, at, partition, withValues)
      bytes += entry.key.length + entry.value.length
      entries.push(entry)
    }
    position = to
    slots += range.slots
    const isFull = entries.length >= limit || bytes >= chunkBytesMax
    if (isFull || slots + chunkStepSlots > chunkSlotsMax || performance.now() >= until) break
  }
  return { entries, examined, bytes, next: position < hashesEnd ? position : undefined }
}

function beginsWith({ bytes, words }: Segment, at: number, prefix: Uint8Array): boolean {
  if (words[at >>> 2]! < prefix.length) return false
  const start = at + headerBytes
  for (let i = 0; i < prefix.length; i++) if (bytes[start + i] !== prefix[i]) return false
  return true
}

function copyOf({ bytes, words, doubles }: Segment, at: number, partition: number, withValues: boolean): KeyedMapEntry {
  const keyStart = at + headerBytes
  const valueStart = keyStart + words[at >>> 2]!
  return {
    key: bytes.slice(keyStart, valueStart),
    value: withValues ? bytes.slice(valueStart, valueStart + words[(at >>> 2) + 1]!) : none,
    partition,
    offset: doubles[(at >>> 3) + 1]!,
    timestamp: doubles[(at >>> 3) + 2]!,
  }
}
