/**
 * Reads Avro's binary encoding from untrusted bytes. Compares every length with the remaining bytes before it allocates
 * anything. Limits varints to ten bytes, and limits nesting, the number of records, and the number of items that may
 * take no bytes.
 * With any schema, the length of a value and these limits bound what it costs to read it.
 */
import { depthMax } from '../simple/canonical-json.ts'

/**
 * Maximum number of records, nulls and zero-length fixed values in one value. Without it, an array of a billion nulls
 * would take six bytes, and records nested thirty levels deep, each with two of the next level, would take none.
 */
const itemsMax = 65_536
/** Additional items that are allowed for each byte of the value. */
const itemsPerByte = 4
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const int32Max = 2 ** 31 - 1
/** Number of groups of seven bits that a double represents exactly. */
const exactGroups = 7
const none = new Uint8Array(0)

export class AvroReader {
  #bytes: Uint8Array = none
  #view: DataView | undefined
  #position = 0
  #depth = 0
  #itemsLeft = 0

  /**
   * Reads a whole value.
   * @throws Error if `read` does, or if bytes remain after it
   */
  all<T>(bytes: Uint8Array, read: (input: AvroReader) => T): T {
    this.#bytes = bytes
    this.#view = undefined
    this.#position = 0
    this.#depth = 0
    this.#itemsLeft = itemsMax + itemsPerByte * bytes.length
    try {
      const value = read(this)
      const left = bytes.length - this.#position
      if (left > 0) throw new Error(`${left} bytes are left after the value`)
      return value
    } finally {
      this.#bytes = none
      this.#view = undefined
    }
  }

  /** Counts an item that may take no bytes. Must be called before each one. */
  item(): void {
    if (--this.#itemsLeft >= 0) return
    const length = this.#bytes.length
    throw new Error(`more than ${itemsMax + itemsPerByte * length} records and nulls are in its ${length} bytes`)
  }

  boolean(): boolean {
    const byte = this.#byte()
    if (byte > 1) throw new Error(`a boolean is ${byte}${this.#at()}`)
    return byte === 1
  }

  int(): number {
    const value = this.long()
    if (typeof value === 'bigint' || (value | 0) !== value) throw new Error(`an int is ${value}${this.#at()}`)
    return value
  }

  /** Returns a bigint only beyond 2^53. */
  long(): number | bigint {
    let zigzag = 0
    let scale = 1
    for (let group = 0; group < exactGroups; group++) {
      const byte = this.#byte()
      zigzag += (byte & 0x7f) * scale
      if (byte < 0x80) return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2
      scale *= 128
    }
    return this.#wideLong(BigInt(zigzag))
  }

  float(): number {
    return this.#viewOf(4).getFloat32(this.#take(4), true)
  }

  double(): number {
    return this.#viewOf(8).getFloat64(this.#take(8), true)
  }

  /** Returns a view of the input, which is valid only until `all` returns. */
  bytes(): Uint8Array {
    return this.fixed(this.#length('bytes'))
  }

  /** Returns a view of the input, which is valid only until `all` returns. */
  fixed(size: number): Uint8Array {
    if (size === 0) this.item()
    this.#need(size)
    const start = this.#take(size)
    return this.#bytes.subarray(start, start + size)
  }

  /** Returns the remaining bytes as a view, which is valid only until `all` returns. */
  rest(): Uint8Array {
    return this.fixed(this.#bytes.length - this.#position)
  }

  string(): string {
    const bytes = this.fixed(this.#length('a string'))
    try {
      return decoder.decode(bytes)
    } catch {
      throw new Error(`a string is not UTF-8${this.#at()}`)
    }
  }

  /** @returns an index below `count` */
  index(count: number, what: string): number {
    const index = this.int()
    if (index < 0 || index >= count) throw new Error(`${what} has number ${index} of ${count}${this.#at()}`)
    return index
  }

  /** Reads the blocks of an array or a map and calls `each` for every item. */
  items(each: () => void): void {
    for (;;) {
      let count = this.long()
      if (count === 0) return
      if (count < 0) {
        // A negative count is followed by the block's length in bytes, which allows others to skip the block.
        count = -count
        this.#length('a block')
      }
      for (let item = 0; item < count; item++) each()
    }
  }

  /** Must be called before the contents of a record, an array or a map; `leave` after them. */
  enter(): void {
    if (++this.#depth > depthMax) throw new Error(`it is nested more than ${depthMax} deep`)
  }

  leave(): void {
    this.#depth--
  }

  #wideLong(low: bigint): number | bigint {
    let zigzag = low
    for (let group = exactGroups; group < 10; group++) {
      const byte = this.#byte()
      if (group === 9 && byte > 1) break
      zigzag |= BigInt(byte & 0x7f) << BigInt(7 * group)
      if (byte < 0x80) {
        const value = (zigzag >> 1n) ^ -(zigzag & 1n)
        const number = Number(value)
        return Number.isSafeInteger(number) ? number : value
      }
    }
    throw new Error(`a long has more than 64 bits${this.#at()}`)
  }

  #length(what: string): number {
    const length = this.long()
    if (typeof length === 'bigint' || length < 0 || length > int32Max) {
      throw new Error(`the length of ${what} is ${length}${this.#at()}`)
    }
    return length
  }

  #byte(): number {
    const byte = this.#bytes[this.#position]
    if (byte === undefined) throw new Error(`it ends after ${this.#bytes.length} bytes, in the midst of a value`)
    this.#position++
    return byte
  }

  #viewOf(size: number): DataView {
    this.#need(size)
    const { buffer, byteOffset, length } = this.#bytes
    return (this.#view ??= new DataView(buffer, byteOffset, length))
  }

  #need(size: number): void {
    const left = this.#bytes.length - this.#position
    if (size > left) throw new Error(`it ends after ${this.#bytes.length} bytes, ${size - left} too early`)
  }

  #take(size: number): number {
    const start = this.#position
    this.#position += size
    return start
  }

  #at(): string {
    return `, at byte ${this.#position}`
  }
}
