/** Asks whether what snapshots and new tables take fits into MEMORY_MAX, and counts it, before they take it. */
import type { MapNeeds } from './map-needs.ts'

/** A full store reads again when it needs at most this share of the budget. */
export const roomyShare = 0.95

export class MemoryRoom {
  readonly #needs: MapNeeds
  readonly #bytesMax: number
  #restoreMax: number

  /**
   * @param bytesMax what all store threads may need
   * @param restoreMax what they may need while they recover
   */
  constructor(needs: MapNeeds, bytesMax: number, restoreMax: number) {
    this.#needs = needs
    this.#bytesMax = bytesMax
    this.#restoreMax = restoreMax
  }

  /** To be called when a recovery has ended, because there is a backlog from then on. */
  recovered(): void {
    this.#restoreMax = this.#bytesMax
  }

  /**
   * Counts what is going to be restored into the map, until the returned function is called.
   * @returns undefined if it does not fit
   */
  beginRestore(bytes: number): (() => void) | undefined {
    const end = this.#needs.beginRestore(bytes)
    if (this.#needs.measure() <= this.#restoreMax) return end
    end()
    this.#needs.measure()
    return undefined
  }

  /** Whether so many bytes more fit into the map, with some room to spare. */
  fits(bytes: number): boolean {
    return this.#needs.measure() + bytes <= this.#bytesMax * roomyShare
  }

  /**
   * Counts a buffer that is kept beside the map. What the reserve has room for fits into a full store, too.
   * @returns false if it does not fit
   */
  addBuffer(bytes: number): boolean {
    this.#needs.addBuffer(bytes)
    if (this.#needs.countedBufferBytes === 0 || this.#needs.measure() <= this.#bytesMax) return true
    this.#needs.addBuffer(-bytes)
    this.#needs.measure()
    return false
  }
}
