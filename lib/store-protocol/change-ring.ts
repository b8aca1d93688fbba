/**
 * Layout of the change ring: which keys changed, in the order in which they were put into the map. A store thread writes
 * it, other threads read it without locks. It holds no values: what a key has now is in the map.
 *
 * Positions count bytes since the ring began; a position modulo the size is a place in it. The ring is divided into
 * blocks. Before the store thread writes into a block, it gives up the block after it (`tail`). So a reader that copied
 * bytes and then finds them above `tail` has copied them whole, even if the processor reorders some of the writes.
 *
 * A record, in the machine's byte order, with its size rounded up to 8:
 *
 *   0  int32    size
 *   4  int32    partition, or -1 for filler up to the end of the ring
 *   8  int32    key length
 *  12  int32    1 if the key was deleted, 2 if the key is too long and left out, else 0
 *  16  float64  changelog offset, -1 if unknown
 *  24  float64  source offset, -1 if unknown
 *  32  key
 */
import type { StoreConfig } from './store-config.ts'

type ChangesConfig = Pick<StoreConfig, 'changesBytes' | 'storeThreads'>

/** The memory of a ring. */
export interface SharedChangeRing {
  readonly control: SharedArrayBuffer
  readonly bytes: SharedArrayBuffer
  /** Partitions that have a floor in each block, in the order of the floors. */
  readonly partitions: readonly number[]
}

/** Default of CHANGES_BYTES: the size of the rings of all store threads together. */
export const changesBytesDefault = 16 << 20
export const changesBytesMin = 1 << 20
export const changesBytesMax = 1 << 30

export const blocks = 16
export const recordHeaderBytes = 32
export const filler = -1
export const deleted = 1
export const omitted = 2

/** Indexes into the control words, as 64-bit integers. Each has its own cache line. */
export const tailWord = 0
export const publishedWord = 8
const wordsEnd = 16

export function recordBytes(keyLength: number): number {
  return (recordHeaderBytes + keyLength + 7) & ~7
}

/** Longest key that the ring holds: a quarter of a block, with its header. */
export function keyBytesMax(ringBytes: number): number {
  return ringBytes / blocks / 4 - recordHeaderBytes
}

export function createChangeRing(bytes: number, partitions: readonly number[]): SharedChangeRing {
  const rows = blocks * (1 + partitions.length)
  return {
    control: new SharedArrayBuffer(8 * (wordsEnd + rows)),
    bytes: new SharedArrayBuffer(bytes),
    partitions,
  }
}

export function controlWords({ control }: SharedChangeRing): BigInt64Array {
  return new BigInt64Array(control, 0, wordsEnd)
}

/**
 * One row for each block: the position of the first record that begins in it, and for each partition the changelog
 * position from which the ring is complete from there on.
 */
export function blockRows({ control }: SharedChangeRing): Float64Array {
  return new Float64Array(control, 8 * wordsEnd)
}

/** Size of the ring of one store thread: its share of the store's. */
export function changeBytesOf({ changesBytes = changesBytesDefault, storeThreads = 1 }: ChangesConfig): number {
  return Math.floor(changesBytes / storeThreads)
}

/** Rounds a size down to a power of two, which the layout needs. */
export function ringBytesWithin(bytes: number): number {
  return 2 ** Math.floor(Math.log2(Math.max(bytes, changesBytesMin / 16)))
}
