/**
 * Keys and values in one buffer, for messages from the main thread to the store thread: each pair after its two
 * lengths.
 */

const lengthsBytes = 8
const firstBytes = 1_024
/** Length of the value of a key to delete. */
const deleted = -1

export class WriteFrame {
  #buffer = new Uint8Array(firstBytes)
  #view = new DataView(this.#buffer.buffer)
  #end = 0

  get bytes(): number {
    return this.#end
  }

  /** @param value null to delete */
  append(key: Uint8Array, value: Uint8Array | null): void {
    const at = this.#end
    const end = at + lengthsBytes + key.length + (value?.length ?? 0)
    if (end > this.#buffer.length) this.#grow(end)
    this.#view.setInt32(at, key.length)
    this.#view.setInt32(at + 4, value?.length ?? deleted)
    this.#buffer.set(key, at + lengthsBytes)
    if (value !== null) this.#buffer.set(value, at + lengthsBytes + key.length)
    this.#end = end
  }

  /** Returns what was appended, in a buffer that is not shared and may be transferred. */
  contents(): Uint8Array<ArrayBuffer> {
    return this.#buffer.subarray(0, this.#end)
  }

  #grow(bytes: number): void {
    const grown = new Uint8Array(Math.max(2 * this.#buffer.length, bytes))
    grown.set(this.#buffer.subarray(0, this.#end))
    this.#buffer = grown
    this.#view = new DataView(grown.buffer)
  }
}

/**
 * Calls `visit` with the position of each record.
 * @param visit gets -1 as length of the value if the key is to be deleted
 */
export function readFrame(
  frame: Uint8Array,
  visit: (keyStart: number, keyLength: number, valueStart: number, valueLength: number) => void,
): void {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
  for (let at = 0; at < frame.length;) {
    const keyLength = view.getInt32(at)
    const valueLength = view.getInt32(at + 4)
    const keyStart = at + lengthsBytes
    const valueStart = keyStart + keyLength
    visit(keyStart, keyLength, valueStart, valueLength)
    at = valueStart + Math.max(valueLength, 0)
  }
}
