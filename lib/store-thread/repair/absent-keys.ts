/**
 * Keys that the changelog has and the map does not have. Records must be noted in log order, since a later tombstone
 * removes its key again.
 */
import type { RecordBatchReader } from '../../kafka/record-batch/index.ts'

/** Maximum of the keys' bytes, and the overhead of a string. */
const bytesMax = 16 << 20
const keyOverheadBytes = 64

export class AbsentKeys {
  readonly #isHeld: (key: Uint8Array, start: number, length: number) => boolean
  readonly #bytesMax: number
  /** One character is one byte of a key (latin1). */
  readonly #keys = new Set<string>()
  #bytes = 0

  /** @param isHeld whether the map has a key */
  constructor(isHeld: (key: Uint8Array, start: number, length: number) => boolean, keyBytesMax = bytesMax) {
    this.#isHeld = isHeld
    this.#bytesMax = keyBytesMax
  }

  /** If true, call takeKeys() before noting more. The keys taken may then include a key that has a later tombstone. */
  get isFull(): boolean {
    return this.#bytes >= this.#bytesMax
  }

  /** Notes the record at which the batch reader is positioned. */
  note({ data, keyStart, keyLength, valueLength }: RecordBatchReader): void {
    if (keyLength < 0 || (valueLength < 0 && this.#keys.size === 0)) return
    if (valueLength >= 0 && this.#isHeld(data, keyStart, keyLength)) return
    const key = data.toString('latin1', keyStart, keyStart + keyLength)
    const bytes = keyLength + keyOverheadBytes
    if (valueLength < 0) {
      if (this.#keys.delete(key)) this.#bytes -= bytes
    } else if (!this.#keys.has(key)) {
      this.#keys.add(key)
      this.#bytes += bytes
    }
  }

  takeKeys(): Buffer[] {
    const keys = [...this.#keys].map((key) => Buffer.from(key, 'latin1'))
    this.#keys.clear()
    this.#bytes = 0
    return keys
  }
}
