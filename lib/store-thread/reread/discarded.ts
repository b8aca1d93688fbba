/**
 * Deletes the keys of a partition whose source has changed: all keys, or those whose latest record has a source offset
 * at or above a limit.
 */
import type { ChiralMap } from '../../map/index.ts'
import type { Amendment } from '../ingest/amendment.ts'
import { walk } from '../repair/in-order.ts'

export class Discarded {
  /** Deleted keys (latin1); empty if all keys are deleted. */
  readonly keys = new Set<string>()
  readonly #map: Pick<ChiralMap, 'has' | 'keysByOffset'>
  readonly #partition: number
  readonly #from: number | undefined
  #count = 0
  #isDone = false
  #reached: number | undefined

  /** @param from the limit; undefined for all keys */
  constructor(map: Pick<ChiralMap, 'has' | 'keysByOffset'>, partition: number, from: number | undefined) {
    this.#map = map
    this.#partition = partition
    this.#from = from
  }

  /** Number of keys that were deleted. */
  get count(): number {
    return this.#count
  }

  /** Whether the tombstones of all keys were written. */
  get isDone(): boolean {
    return this.#isDone
  }

  /** Source offset up to which everything was acknowledged before; undefined if nothing was written yet. */
  get reached(): number | undefined {
    return this.#reached
  }

  /** To be called before write(). What is acknowledged at the first call counts. */
  noteReached(acknowledged: number): void {
    this.#reached ??= acknowledged
  }

  /**
   * Writes a discard tombstone for each key, and at least one, after which recovery ignores all source offsets read
   * before. After an interruption it starts again from the beginning.
   */
  async write(amendment: Pick<Amendment, 'isOver' | 'discard'>): Promise<void> {
    const from = this.#from
    this.#count = 0
    for await (const step of walk(this.#map, this.#partition, (offset) => from === undefined || offset >= from)) {
      for (const { key } of step) {
        if (amendment.isOver) return
        if (from !== undefined) this.keys.add(Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1'))
        this.#count++
        await amendment.discard(key)
      }
    }
    if (this.#count === 0) await amendment.discard(this.#absentKey())
    this.#isDone = !amendment.isOver
  }

  #absentKey(): Uint8Array {
    for (let length = 0; ; length++) {
      const key = new Uint8Array(length)
      if (!this.#map.has(this.#partition, key, 0, length)) return key
    }
  }
}
