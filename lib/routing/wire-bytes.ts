/**
 * Bytes of what instances send each other. Numbers are big-endian; bytes and texts have their length before them. What
 * is received is not trusted: every read is checked against what is there.
 */
import { LatchkeyError } from '../errors.ts'
import type { Lookup } from '../store-protocol/status.ts'

/** Returns the error for what is not what an instance of this version sends. */
export function wireFault(found: string): LatchkeyError {
  return new LatchkeyError('malformed_request', `Reading what another instance sends: ${found}`)
}

const hasHeaders = 1
/** Flags of results that may have a lag; other bits are those of the result. */
const hasLag = 2
const isLagKnown = 4
export const lagFlags = hasLag + isLagKnown

type Lag = number | null | undefined

/** Returns the flags of a lag, which HopWriter.lag() writes behind them. */
export function flagsOfLag(lag: Lag): number {
  return lag === undefined ? 0 : hasLag + (lag === null ? 0 : isLagKnown)
}

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })

/** Puts values one behind the other. */
export class HopWriter {
  #bytes: Uint8Array<ArrayBuffer>
  #view: DataView
  #at = 0

  constructor(capacity = 1_024) {
    this.#bytes = new Uint8Array(capacity)
    this.#view = new DataView(this.#bytes.buffer)
  }

  u8(value: number): void {
    this.#reserve(1)
    this.#bytes[this.#at++] = value
  }

  u32(value: number): void {
    this.#reserve(4)
    this.#view.setUint32(this.#at, value)
    this.#at += 4
  }

  i32(value: number): void {
    this.#reserve(4)
    this.#view.setInt32(this.#at, value)
    this.#at += 4
  }

  f64(value: number): void {
    this.#reserve(8)
    this.#view.setFloat64(this.#at, value)
    this.#at += 8
  }

  bytes(value: Uint8Array): void {
    this.u32(value.length)
    this.raw(value)
  }

  /** Without a length. */
  raw(value: Uint8Array): void {
    this.#reserve(value.length)
    this.#bytes.set(value, this.#at)
    this.#at += value.length
  }

  text(value: string): void {
    this.bytes(encoder.encode(value))
  }

  lookup({ value, partition, offset, timestamp, headerBlock, replicaLag }: Lookup): void {
    this.u8((headerBlock === undefined ? 0 : hasHeaders) + flagsOfLag(replicaLag))
    this.u32(partition)
    this.f64(offset)
    this.f64(timestamp)
    this.lag(replicaLag)
    if (headerBlock !== undefined) this.bytes(headerBlock)
    this.bytes(value)
  }

  /** After flagsOfLag(): only a known lag has bytes. */
  lag(lag: Lag): void {
    if (typeof lag === 'number') this.f64(lag)
  }

  /** Returns all bytes, as a view of memory that belongs to the caller from now on. */
  take(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#at)
  }

  #reserve(size: number): void {
    const needed = this.#at + size
    if (needed <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(needed, 2 * this.#bytes.length))
    larger.set(this.#bytes.subarray(0, this.#at))
    this.#bytes = larger
    this.#view = new DataView(larger.buffer)
  }
}

/** Takes values from received bytes, in their order. Each read throws wireFault() if they end before it. */
export class HopReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** Number of bytes that are left. */
  get left(): number {
    return this.#bytes.length - this.#at
  }

  u8(): number {
    return this.#bytes[this.#take(1)]!
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4))
  }

  i32(): number {
    return this.#view.getInt32(this.#take(4))
  }

  f64(): number {
    return this.#view.getFloat64(this.#take(8))
  }

  /** A whole number, such as an offset or a time; not beyond 2^53. */
  integer(): number {
    const value = this.f64()
    if (!Number.isSafeInteger(value)) throw wireFault('a number is not a whole one')
    return value
  }

  /** Number of items that follow, each of at least `bytesMin` bytes: more of them than can be there are refused. */
  count(bytesMin: number): number {
    const count = this.u32()
    if (count * bytesMin > this.left) throw wireFault('it announces more than it has')
    return count
  }

  /** A view of what was received. */
  bytes(): Uint8Array {
    const length = this.u32()
    const from = this.#take(length)
    return this.#bytes.subarray(from, from + length)
  }

  raw(length: number): Uint8Array {
    const from = this.#take(length)
    return this.#bytes.subarray(from, from + length)
  }

  text(lengthMax: number): string {
    const bytes = this.bytes()
    if (bytes.length > lengthMax) throw wireFault('a text is too long')
    try {
      return decoder.decode(bytes)
    } catch {
      throw wireFault('a text is not UTF-8')
    }
  }

  /** Value and headers are copies that belong to the caller: who sends a value frees its memory. */
  lookup(): Lookup {
    const flags = this.u8()
    if (flags > hasHeaders + lagFlags) throw wireFault('flags that are not known')
    const partition = this.u32()
    const offset = this.integer()
    const timestamp = this.integer()
    const replicaLag = this.lag(flags)
    const headerBlock = (flags & hasHeaders) === 0 ? undefined : this.bytes().slice()
    const lookup: Lookup = { value: this.bytes().slice(), partition, offset, timestamp }
    if (headerBlock !== undefined) lookup.headerBlock = headerBlock
    if (replicaLag !== undefined) lookup.replicaLag = replicaLag
    return lookup
  }

  /** @param flags with those of flagsOfLag() */
  lag(flags: number): Lag {
    if ((flags & hasLag) === 0) return undefined
    return (flags & isLagKnown) === 0 ? null : this.integer()
  }

  /** @throws LatchkeyError malformed_request if bytes are left */
  end(): void {
    if (this.left > 0) throw wireFault('bytes follow its end')
  }

  #take(length: number): number {
    const from = this.#at
    if (length > this.left) throw wireFault('it ends too early')
    this.#at += length
    return from
  }
}
