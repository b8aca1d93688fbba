/** Keys that the changelog has and memory has not, in the order of the changelog: a later tombstone there takes its key back. */
import { type RecordBatchReader } from '../../kafka/record-batch/index.ts'

/** Bytes of keys, and what a string costs beside them. */
const bytesMax = 16 << 20
const keyOverheadBytes = 64

export class AbsentKeys {
  readonly #isHeld: (key: Uint8Array, start: number, length: number) => boolean
  readonly #bytesMax: number
  /** A byte a character. */
  readonly #keys = new Set<string>()
  #bytes = 0

  /** @param isHeld whether memory has a key */
  constructor(isHeld: (key: Uint8Array, start: number, length: number) => boolean, keyBytesMax = bytesMax) {
    this.#isHeld = isHeld
    this.#bytesMax = keyBytesMax
  }

  /** To be taken before more is noted. Where it was, a key may be among those taken though it has a tombstone. */
  get isFull(): boolean {
    return this.#bytes >= this.#bytesMax
  }

  /** The record that the batch stands at. */
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

  take(): Buffer[] {
    const keys = [...this.#keys].map((key) => Buffer.from(key, 'latin1'))
    this.#keys.clear()
    this.#bytes = 0
    return keys
  }
}
