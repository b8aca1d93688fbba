/**
 * Gives memory back to the system after a partition has left the map. Some stays for a while, because the map may soon need
 * it again, and taking it from the system costs time: a part of what is used. Reading the partition has left garbage, too,
 * which the engine would keep for long.
 */
import { fullGC } from 'bun:jsc'
import { releaseMemory } from '../../linux/release-memory.ts'
import type { ChiralMap } from '../../map/index.ts'

const keptBytesMax = 64 << 20
const keptBytesMin = 8 << 20
/** Free bytes for each used byte. */
const keptShare = 1 / 4
/** Time after the last partition has left, after which only the least stays. */
const restMsDefault = 30_000
/** Bytes given back in one turn: some milliseconds. */
const bytesMax = 8 << 20

export class FreePages {
  readonly #map: Pick<ChiralMap, 'releaseFree' | 'memory'>
  readonly #release: (bytes: Uint8Array) => boolean
  readonly #restMs: number
  #next: NodeJS.Immediate | undefined
  #rest: NodeJS.Timeout | undefined

  /** @param release for tests, as restMs */
  constructor(map: Pick<ChiralMap, 'releaseFree' | 'memory'>, release = releaseMemory, restMs: number = restMsDefault) {
    this.#map = map
    this.#release = release
    this.#restMs = restMs
  }

  /** Gives free memory back, in slices between other work. To be called when a partition has left. */
  giveBack(): void {
    clearTimeout(this.#rest)
    this.#rest = setTimeout(() => this.#give(0), this.#restMs)
    this.#rest.unref()
    this.#give(keptShare)
  }

  stop(): void {
    clearImmediate(this.#next)
    clearTimeout(this.#rest)
  }

  #give(share: number): void {
    this.#next ??= setImmediate(() => {
      this.#next = undefined
      const keptBytes = Math.min(Math.max(share * this.#map.memory.usedBytes, keptBytesMin), keptBytesMax)
      if (this.#map.releaseFree(this.#release, { keptBytes, bytesMax }) > 0) this.#give(share)
      else if (share > 0) fullGC()
    })
  }
}
