/**
 * Selects records while a source that lost its tail is read again from its start. Only some keys are stored: those
 * whose latest record was in the lost tail, and those that the map does not have. The map's values of all other keys
 * are correct and must not be replaced by older ones.
 */
import type { RecordBatchReader } from '../../kafka/record-batch/index.ts'

export type IsHeld = (key: Uint8Array, start: number, length: number) => boolean

export class RereadFilter {
  /** Source offset from which every record is stored again. */
  readonly until: number
  readonly #keys: Set<string>
  readonly #written = new Set<string>()
  readonly #isHeld: IsHeld

  /**
   * @param keys to be made again, one character a byte (latin1); the set is modified
   * @param isHeld whether the map has a key
   */
  constructor(until: number, keys: Set<string>, isHeld: IsHeld) {
    this.until = until
    this.#keys = keys
    this.#isHeld = isHeld
  }

  /**
   * Whether to skip the record at which the batch reader is positioned. Records without a key, and undecodable ones,
   * were counted when they were first read.
   */
  passesOver({ offset, undecodable, data, keyStart, keyLength, valueLength }: RecordBatchReader): boolean {
    if (offset >= this.until) return false
    if (undecodable || keyLength < 0) return true
    const key = data.toString('latin1', keyStart, keyStart + keyLength)
    if (this.#keys.has(key)) return false
    if (valueLength < 0 || this.#written.has(key) || this.#isHeld(data, keyStart, keyLength)) return true
    this.#keys.add(key)
    return false
  }

  /**
   * Notes a key that a program wrote after what was read before. Its value stays.
   * @param key one character a byte (latin1)
   */
  wrote(key: string): void {
    this.#keys.delete(key)
    this.#written.add(key)
  }
}
