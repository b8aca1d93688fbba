/** Measures what a map needs, adds it to the account of all store threads, and shows it in the counters. */
import { allowancePerByte, type ChiralMap } from '../../map/index.ts'
import type { MemoryLedger } from '../../store-protocol/memory-budget.ts'
import type { Stats } from '../../store-protocol/stats.ts'
import type { Expected } from '../../topics/memory-fit.ts'

export class MapNeeds {
  readonly #map: ChiralMap
  readonly #stats: Stats
  readonly #ledger: MemoryLedger
  readonly #bufferReserve: number
  #pendingBytes = () => 0
  /** Of buffers beside the map. */
  #bufferBytes = 0
  /** What the map needs at least when everything is in it that is being restored. */
  #restoredBytes = 0
  #restoring = 0
  #measuredAt = Number.NEGATIVE_INFINITY

  /** @param bufferReserve bytes of buffers that do not count */
  constructor(map: ChiralMap, stats: Stats, ledger: MemoryLedger, bufferReserve: number) {
    this.#map = map
    this.#stats = stats
    this.#ledger = ledger
    this.#bufferReserve = bufferReserve
  }

  /** Bytes that are decoded and will be put into the map. */
  get pendingBytes(): number {
    return this.#pendingBytes()
  }

  countPending(bytes: () => number): void {
    this.#pendingBytes = bytes
  }

  /** Whether the last measurement is at least so long ago. */
  isDue(apartMs: number): boolean {
    return performance.now() - this.#measuredAt >= apartMs
  }

  /** Bytes of buffers beside the map that have no place in the reserve. */
  get countedBufferBytes(): number {
    return Math.max(0, this.#bufferBytes - this.#bufferReserve)
  }

  /** Counts a buffer beside the map, or with a negative number removes it. */
  addBuffer(bytes: number): void {
    this.#bufferBytes += bytes
  }

  /** Counts what is going to be restored into the map, until the returned function is called. */
  beginRestore(bytes: number): () => void {
    this.#restoredBytes = (this.#restoring === 0 ? this.#mapBytes() : this.#restoredBytes) + bytes
    this.#restoring++
    return () => {
      this.#restoring--
      if (this.#restoring === 0) this.#restoredBytes = 0
    }
  }

  /** @returns what all store threads need, in bytes */
  measure(): number {
    this.#measuredAt = performance.now()
    return this.#ledger.set('neededBytes', Math.max(this.#mapBytes(), this.#restoredBytes) + this.countedBufferBytes)
  }

  #mapBytes(): number {
    const { usedBytes, freeBytes, openingBytes, growthBytes } = this.#map.memory
    this.#stats.set('mapBytes', usedBytes)
    this.#stats.set('mapFreeBytes', freeBytes)
    // Free segments are used for entries first. New tables need consecutive ones, which may not be found among them.
    const reusable = growthBytes === 0 ? 0 : freeBytes
    const coming = openingBytes + growthBytes + reusable + this.#pendingBytes()
    return usedBytes + coming
  }

  /** Returns what all store threads would need if this one kept the usual number of dead entries. */
  relaxedBytes(): number {
    const others = this.#ledger.sum('neededBytes') - this.#ledger.own('neededBytes')
    return this.#stats.partitions.reduce((sum, partition) => {
      const { liveBytes, indexBytes } = this.#map.stats(partition)
      return sum + allowancePerByte * liveBytes + indexBytes
    }, others)
  }

  /** Returns what this thread holds, with the needs of all. */
  held(): Expected {
    const held = this.#stats.partitions.map((partition) => this.#map.stats(partition))
    return {
      entries: held.reduce((sum, { entries }) => sum + entries, 0),
      bytes: held.reduce((sum, { liveBytes }) => sum + liveBytes, 0),
      mapBytes: this.#ledger.sum('neededBytes'),
    }
  }
}
