/**
 * Gives memory back to the system after a partition has left the map. Some stays, because the map soon needs it again, and
 * taking it from the system costs time: a part of what is used. Reading the partition has left garbage, too, which the
 * engine would keep for long.
 */
import { fullGC } from 'bun:jsc'
import { releaseMemory } from '../../linux/release-memory.ts'
import type { ChiralMap } from '../../map/index.ts'

const keptBytesMax = 64 << 20
const keptBytesMin = 8 << 20
/** Free bytes for each used byte. */
const keptShare = 1 / 4
/** Bytes given back in one turn: some milliseconds. */
const bytesMax = 8 << 20

export class FreePages {
  readonly #map: Pick<ChiralMap, 'releaseFree' | 'memory'>
  readonly #release: (bytes: Uint8Array) => boolean
  #next: NodeJS.Immediate | undefined

  /** @param release for tests */
  constructor(map: Pick<ChiralMap, 'releaseFree' | 'memory'>, release = releaseMemory) {
    this.#map = map
    this.#release = release
  }

  /** Gives free memory back, in slices between other work. To be called when a partition has left. */
  giveBack(): void {
    this.#next ??= setImmediate(() => {
      this.#next = undefined
      const keptBytes = Math.min(Math.max(keptShare * this.#map.memory.usedBytes, keptBytesMin), keptBytesMax)
      if (this.#map.releaseFree(this.#release, { keptBytes, bytesMax }) > 0) this.giveBack()
      else fullGC()
    })
  }

  stop(): void {
    clearImmediate(this.#next)
  }
}
