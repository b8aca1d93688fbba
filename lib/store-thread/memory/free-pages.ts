/**
 * Gives memory back to the system after a partition has left the map. Some stays, because the map soon needs it again, and
 * taking it from the system costs time.
 */
import { releaseMemory } from '../../linux/release-memory.ts'
import type { ChiralMap } from '../../map/index.ts'

const keptBytes = 64 << 20
/** Bytes given back in one turn: some milliseconds. */
const bytesMax = 8 << 20

export class FreePages {
  readonly #map: Pick<ChiralMap, 'releaseFree'>
  readonly #release: (bytes: Uint8Array) => boolean
  #next: NodeJS.Immediate | undefined

  /** @param release for tests */
  constructor(map: Pick<ChiralMap, 'releaseFree'>, release = releaseMemory) {
    this.#map = map
    this.#release = release
  }

  /** Gives free memory back, in slices between other work. To be called when a partition has left. */
  giveBack(): void {
    this.#next ??= setImmediate(() => {
      this.#next = undefined
      if (this.#map.releaseFree(this.#release, { keptBytes, bytesMax }) > 0) this.giveBack()
    })
  }

  stop(): void {
    clearImmediate(this.#next)
  }
}
