/**
 * Encoded record headers, as they are in a record but without their count. They are built once, then written into
 * records or iterated without an object for each.
 */
import { VarintCursor } from './varint-cursor.ts'
import { varintBytes, writeVarint } from './varint.ts'

/** A range of encoded headers: `count` of them in `bytes[start, start + length)`. */
export interface HeaderBytes {
  readonly bytes: Uint8Array
  readonly start: number
  readonly length: number
  readonly count: number
}

/** A reusable buffer of headers. It keeps the largest size that it has had. */
export class HeaderBlock implements HeaderBytes {
  readonly start = 0
  bytes: Buffer
  length = 0
  count = 0

  constructor(bytes = 256) {
    this.bytes = Buffer.alloc(bytes)
  }

  clear(): void {
    this.length = 0
    this.count = 0
  }

  /** Appends `count` headers that are already encoded in `source[start, end)`. */
  copy(source: Buffer, start: number, end: number, count: number): void {
    this.#reserve(end - start)
    source.copy(this.bytes, this.length, start, end)
    this.length += end - start
    this.count += count
  }

  /**
   * Appends a header.
   * @param value null for a header without a value, which Kafka distinguishes from an empty one
   */
  add(name: string, value: Uint8Array | string | null): void {
    const key = Buffer.from(name)
    const content = typeof value === 'string' ? Buffer.from(value) : value
    const valueLength = content?.length ?? -1
    this.#reserve(varintBytes(key.length) + key.length + varintBytes(valueLength) + Math.max(valueLength, 0))
    const at = writeVarint(this.bytes, this.length, key.length)
    this.bytes.set(key, at)
    this.length = writeVarint(this.bytes, at + key.length, valueLength)
    if (content !== null) this.bytes.set(content, this.length)
    this.length += Math.max(valueLength, 0)
    this.count++
  }

  #reserve(bytes: number): void {
    const needed = this.length + bytes
    if (needed <= this.bytes.length) return
    const larger = Buffer.alloc(Math.max(needed, 2 * this.bytes.length))
    this.bytes.copy(larger, 0, 0, this.length)
    this.bytes = larger
  }
}

/** Iterates over headers. Its fields describe the header at which next() stopped. */
export class HeaderCursor {
  /** Start and end of the whole header. */
  start = 0
  end = 0
  nameStart = 0
  nameEnd = 0
  valueStart = 0
  /** -1 for null */
  valueLength = -1
  readonly #cursor = new VarintCursor(new Uint8Array(0), 0, 0)
  #end = 0

  /** Positions the cursor before the first header of `bytes[start, end)`. */
  open(bytes: Uint8Array, start: number, end: number): void {
    this.#cursor.open(bytes, start, end)
    this.#end = end
  }

  /** Moves to the next header. Returns false at the end, or if the remaining bytes are not a header. */
  next(): boolean {
    const cursor = this.#cursor
    if (cursor.at >= this.#end) return false
    this.start = cursor.at
    const nameLength = cursor.varint() ?? -1
    this.nameStart = cursor.at
    if (nameLength < 0 || !cursor.skip(nameLength)) return false
    this.nameEnd = cursor.at
    this.valueLength = cursor.varint() ?? -2
    this.valueStart = cursor.at
    if (this.valueLength < -1 || !cursor.skip(Math.max(this.valueLength, 0))) return false
    this.end = cursor.at
    return true
  }
}
