/** The keys of a partition that are deleted because their source has changed: all, or those whose latest record came from a source offset on. */
import { type ChiralMap } from '../../map/index.ts'
import { type Amendment } from '../ingest/amendment.ts'
import { walk } from '../repair/in-order.ts'

export class Discarded {
  /** Those that were deleted, a byte a character; empty where all are. */
  readonly keys = new Set<string>()
  count = 0
  /** Whether the changelog gets all their tombstones. */
  isDone = false
  /** Source offset up to which all was acknowledged before. */
  reached: number | undefined
  readonly #map: Pick<ChiralMap, 'has' | 'keysByOffset'>
  readonly #partition: number
  readonly #from: number | undefined

  /** @param from undefined for all keys */
  constructor(map: Pick<ChiralMap, 'has' | 'keysByOffset'>, partition: number, from: number | undefined) {
    this.#map = map
    this.#partition = partition
    this.#from = from
  }

  /** Writes a tombstone for each key, and at least one: recovery forgets with it what it has read before. Again from the beginning where it was interrupted. */
  async write(amendment: Pick<Amendment, 'isOver' | 'discard'>): Promise<void> {
    const from = this.#from
    this.count = 0
    for await (const step of walk(this.#map, this.#partition, (offset) => from === undefined || offset >= from)) {
      for (const { key } of step) {
        if (amendment.isOver) return
        if (from !== undefined) this.keys.add(Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1'))
        this.count++
        await amendment.discard(key)
      }
    }
    if (this.count === 0) await amendment.discard(this.#absentKey())
    this.isDone = !amendment.isOver
  }

  #absentKey(): Uint8Array {
    for (let length = 0; ; length++) {
      const key = new Uint8Array(length)
      if (!this.#map.has(this.#partition, key, 0, length)) return key
    }
  }
}
