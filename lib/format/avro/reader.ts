/**
 * Reads Avro's binary encoding out of bytes that nobody has checked. Every length is compared with the bytes that are left before
 * anything is made of it, every varint ends within ten bytes, nesting has a bound, and so has the number of records and of what may take no
 * bytes at all: what a value costs is bounded by its own length and by that number, whatever its schema is.
 */
import { depthMax } from '../simple/canonical-json.ts'

/** Records, nulls and fixed of no bytes in one value: an array of a billion nulls takes six bytes, and a record that holds two of another, thirty deep, none. */
const itemsMax = 65_536
/** And so many for each of its bytes. */
const itemsPerByte = 4
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const int32Max = 2 ** 31 - 1
/** As many groups of seven bits as a double holds exactly. */
const exactGroups = 7
const none = new Uint8Array(0)

export class AvroReader {
  #bytes: Uint8Array = none
  #view: DataView | undefined
  #position = 0
  #depth = 0
  #itemsLeft = 0

  /** @throws Error where `read` does, and where it leaves bytes */
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

  /** Before each item that may take no bytes. */
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

  /** A bigint only beyond 2^53. */
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

  /** A view, for the moment. */
  bytes(): Uint8Array {
    return this.fixed(this.#length('bytes'))
  }

  /** A view, for the moment. */
  fixed(size: number): Uint8Array {
    if (size === 0) this.item()
    this.#need(size)
    const start = this.#take(size)
    return this.#bytes.subarray(start, start + size)
  }

  /** All that is left: a view, for the moment. */
  rest(): Uint8Array {
    return this.fixed(this.#bytes.length - this.#position)
  }

  string(): string {
    const bytes = this.fixed(this.#length('a string'))
    try {
      return decoder.decode(bytes)
    } catch {
      throw new Error(`a string is no UTF-8${this.#at()}`)
    }
  }

  /** @returns an index below `count` */
  index(count: number, what: string): number {
    const index = this.int()
    if (index < 0 || index >= count) throw new Error(`${what} has number ${index} of ${count}${this.#at()}`)
    return index
  }

  /** The blocks of an array or a map. */
  items(each: () => void): void {
    for (;;) {
      let count = this.long()
      if (count === 0) return
      if (count < 0) {
        // Then the block's length in bytes follows, for those who skip it.
        count = -count
        this.#length('a block')
      }
      for (let item = 0; item < count; item++) each()
    }
  }

  /** Before what a record, an array or a map has inside; `leave` after it. */
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
