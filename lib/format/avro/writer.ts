/** Writes Avro's binary encoding into a buffer that grows and is reused. */
import { depthMax } from '../simple/canonical-json.ts'
import { Mismatch } from './mismatch.ts'

const encoder = new TextEncoder()
const capacityAtStart = 1_024
/** Larger buffers are not kept for the next value. */
const keptMax = 1_048_576
/** Maximum size of a field's default. A schema of a few lines can double it at each level. */
export const defaultBytesMax = 1_048_576
/** Maximum size of a value, larger than any record. Defaults from a schema can expand a short value. */
const lengthMaxDefault = 134_217_728
/** Below this, twice the value is exact in a double. */
const doubledExactly = 2 ** 52

export class AvroWriter {
  /** Refuses members that the schema does not have. Otherwise they are left out, as in Avro's schema resolution. */
  isStrict = false
  readonly #lengthMax: number
  #bytes = new Uint8Array(capacityAtStart)
  #view = new DataView(this.#bytes.buffer)
  #length = 0
  #depth = 0

  constructor(lengthMax: number = lengthMaxDefault) {
    this.#lengthMax = lengthMax
  }

  /** Returns a copy of the bytes that `write` has written. */
  all(isStrict: boolean, write: (output: AvroWriter) => void): Uint8Array {
    this.isStrict = isStrict
    this.#length = 0
    this.#depth = 0
    try {
      write(this)
      return this.#bytes.slice(0, this.#length)
    } finally {
      if (this.#bytes.length > keptMax) this.#use(new Uint8Array(capacityAtStart))
    }
  }

  byte(byte: number): void {
    this.#reserve(1)
    this.#bytes[this.#length++] = byte
  }

  /** @param value signed, 64 bits */
  long(value: number | bigint): void {
    if (typeof value === 'bigint' || Math.abs(value) >= doubledExactly) this.#wideLong(BigInt(value))
    else this.#varint(value >= 0 ? value * 2 : -value * 2 - 1)
  }

  float(value: number): void {
    this.#reserve(4)
    this.#view.setFloat32(this.#length, value, true)
    this.#length += 4
  }

  double(value: number): void {
    this.#reserve(8)
    this.#view.setFloat64(this.#length, value, true)
    this.#length += 8
  }

  /** Writes bytes without a length prefix. */
  fixed(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  bytes(bytes: Uint8Array): void {
    this.long(bytes.length)
    this.fixed(bytes)
  }

  string(text: string): void {
    if (!text.isWellFormed()) throw new Mismatch('it must be Unicode, and has half of a surrogate pair')
    this.bytes(encoder.encode(text))
  }

  /** Must be called before the contents of a record, an array or a map; `leave` after them. */
  enter(): void {
    if (++this.#depth > depthMax) throw new Mismatch(`it must be nested at most ${depthMax} deep`)
  }

  leave(): void {
    this.#depth--
  }

  #varint(value: number): void {
    this.#reserve(10)
    let rest = value
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 128) | 0x80
      rest = Math.floor(rest / 128)
    }
    this.#bytes[this.#length++] = rest
  }

  #wideLong(value: bigint): void {
    this.#reserve(10)
    let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
    while (rest >= 0x80n) {
      this.#bytes[this.#length++] = Number(rest & 0x7fn) | 0x80
      rest >>= 7n
    }
    this.#bytes[this.#length++] = Number(rest)
  }

  #reserve(count: number): void {
    const needed = this.#length + count
    if (needed <= this.#bytes.length) return
    if (needed > this.#lengthMax) throw new Mismatch(`it must have at most ${this.#lengthMax} bytes in Avro`)
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2))
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#use(grown)
  }

  #use(bytes: Uint8Array<ArrayBuffer>): void {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer)
  }
}
