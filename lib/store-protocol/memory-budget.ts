/** How much of MEMORY_MAX the maps may take together, and the account of what they take. */
import { growthBytesFor, tableBytesFor } from '../map/index.ts'
import { changesBytesDefault } from './change-ring.ts'
import type { StoreConfig } from './store-config.ts'

const mebibyte = 2 ** 20

/**
 * Not for the maps: the executable (45 MiB), heaps (40), what ingest or recovery has in hand (100), and slack, in which
 * what was decoded before the bound still gets its place in the map.
 */
export const reserveBytes = 256 * mebibyte
/** Not for the maps either: each store thread and each HTTP thread after the first. */
export const threadReserveBytes = 32 * mebibyte
/** Of a small MEMORY_MAX the reserve is less, and the maps get the rest. */
const reserveShareMax = 2 / 3
/**
 * Share of the reserve that a recovery may take beyond the budget: it has no backlog and no copies of a cleaner. So a
 * store that was full can start again.
 */
const recoveryShare = 1 / 4
/** Share of the reserve for buffers of snapshots. A store that is full has no other use for it, and must take snapshots. */
const bufferShare = 1 / 8

type Sized = Pick<StoreConfig, 'memoryMax' | 'changesBytes' | 'storeThreads' | 'readerThreads'>

/** Returns the bytes that the maps of all store threads may take; undefined without a bound. */
export function mapBudgetOf(config: Sized): number | undefined {
  const { memoryMax } = config
  return memoryMax === undefined ? undefined : Math.floor(memoryMax - reservedOf(config, memoryMax))
}

/** Returns the bytes up to which a recovery continues; without a bound Infinity. */
export function recoveryBudgetOf(config: Sized): number {
  const { memoryMax } = config
  if (memoryMax === undefined) return Number.POSITIVE_INFINITY
  return Math.floor(memoryMax - (1 - recoveryShare) * reservedOf(config, memoryMax))
}

/** Returns the bytes that buffers of snapshots may have in the reserve, of each store thread; without a bound Infinity. */
export function bufferReserveOf(config: Sized): number {
  const { memoryMax, storeThreads = 1 } = config
  if (memoryMax === undefined) return Number.POSITIVE_INFINITY
  return Math.floor((bufferShare * reservedOf(config, memoryMax)) / storeThreads)
}

/** Returns the MEMORY_MAX with which the maps may take so many bytes, in whole 64 MiB. */
export function memoryMaxFor(mapBytes: number, config: Sized): number {
  const reserve = reserveOf(config)
  const needed = Math.min(mapBytes + reserve, mapBytes / (1 - reserveShareMax))
  return Math.ceil(needed / (64 * mebibyte)) * 64 * mebibyte
}

function reservedOf(config: Sized, memoryMax: number): number {
  return Math.min(reserveOf(config), memoryMax * reserveShareMax)
}

function reserveOf({ changesBytes = 0, storeThreads = 1, readerThreads = 1 }: Sized): number {
  const threads = storeThreads - 1 + (readerThreads - 1)
  return reserveBytes + threads * threadReserveBytes + Math.max(0, changesBytes - changesBytesDefault)
}

/** What the partitions of a store hold, in bytes of keys and values with their headers. */
export interface StatedSize {
  readonly entries: number
  readonly bytes: number
}

/** Returns the least that a partition takes in a map: its entries, and the tables of both sides. */
export function mapBytesFor({ entries, bytes }: StatedSize): number {
  return entries === 0 ? bytes : bytes + 2 * tableBytesFor(entries)
}

/** The same with the next tables, which count from when the present ones are nearly full. So much a copy needs to be read on. */
export function lastingBytesFor(stated: StatedSize): number {
  return mapBytesFor(stated) + growthBytesFor(stated.entries)
}

const words = ['neededBytes', 'expectedBytes', 'expectedEntries', 'expectedMapBytes', 'recoveredThreads'] as const
export type LedgerWord = (typeof words)[number]

/** Sums over all store threads, in shared memory. Each thread adds what has changed of its part. */
export class MemoryLedger {
  readonly #sums: BigInt64Array
  readonly #own = new Map<LedgerWord, number>()

  static buffer(): SharedArrayBuffer {
    return new SharedArrayBuffer(words.length * BigInt64Array.BYTES_PER_ELEMENT)
  }

  constructor(buffer: SharedArrayBuffer) {
    this.#sums = new BigInt64Array(buffer)
  }

  /** Sets this thread's part of a sum. @returns the sum */
  set(word: LedgerWord, value: number): number {
    const index = words.indexOf(word)
    const change = BigInt(Math.round(value) - (this.#own.get(word) ?? 0))
    this.#own.set(word, Math.round(value))
    return Number(Atomics.add(this.#sums, index, change) + change)
  }

  /** Returns this thread's part. */
  own(word: LedgerWord): number {
    return this.#own.get(word) ?? 0
  }

  sum(word: LedgerWord): number {
    return Number(Atomics.load(this.#sums, words.indexOf(word)))
  }
}
