/**
 * A source that lost its tail is read again from its start, for some keys only: those whose latest record was in the tail, and those that memory has nothing
 * of. What memory has of the others is right already, and must not go back.
 */
import { type RecordBatchReader } from '../../kafka/record-batch/index.ts'

export type IsHeld = (key: Uint8Array, start: number, length: number) => boolean

export class Reread {
  /** Source offset from which on every record counts again. */
  readonly until: number
  readonly #keys: Set<string>
  readonly #written = new Set<string>()
  readonly #isHeld: IsHeld

  /**
   * @param keys to be made again, a byte a character; taken over
   * @param isHeld whether memory has a key
   */
  constructor(until: number, keys: Set<string>, isHeld: IsHeld) {
    this.until = until
    this.#keys = keys
    this.#isHeld = isHeld
  }

  /** Whether the record that the batch stands at has been taken care of before. What is no record with a key was counted then. */
  passesOver({ offset, undecodable, data, keyStart, keyLength, valueLength }: RecordBatchReader): boolean {
    if (offset >= this.until) return false
    if (undecodable || keyLength < 0) return true
    const key = data.toString('latin1', keyStart, keyStart + keyLength)
    if (this.#keys.has(key)) return false
    if (valueLength < 0 || this.#written.has(key) || this.#isHeld(data, keyStart, keyLength)) return true
    this.#keys.add(key)
    return false
  }

  /** A program has written a key itself, behind what was read before: that stays. @param key a byte a character */
  wrote(key: string): void {
    this.#keys.delete(key)
    this.#written.add(key)
  }
}
