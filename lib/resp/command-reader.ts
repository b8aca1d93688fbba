/**
 * Commands in the bytes that a client sends: arrays of bulk strings, or inline commands. Each byte is examined once,
 * in any pieces. A command that has arrived in one piece is not copied.
 */
import { readInline } from './inline-command.ts'
import * as limits from './limits.ts'
import { ProtocolError } from './protocol-error.ts'

const star = 0x2a
const dollar = 0x24
const minus = 0x2d
const zero = 0x30
const cr = 0x0d
const lf = 0x0a

const none = new Uint8Array(0)

/** What #number() returns in place of a number. */
const incomplete = -2
const malformed = -3

export class CommandReader {
  #isTrusted: boolean
  /** Arguments of the command that have arrived. */
  #count = 0
  /** Received bytes. They are never overwritten, so arguments stay valid. */
  #bytes: Uint8Array = none
  /** The first byte that was not examined. */
  #at = 0
  #end = 0
  /** Where the command begins that is being read. */
  #begin = 0
  /** `#bytes` is a buffer of this reader, which may have room at its end. */
  #isOwn = false
  /** Views of the buffer may be in use. */
  #hasViews = false
  /** Arguments that the command being read has; 0 between commands. */
  #expected = 0
  /** Length of the argument being read; -1 between arguments. */
  #length = -1
  /** No line feed of an inline command is before it. */
  #searched = 0
  /** Places of the arguments. */
  #starts: number[] = []
  #ends: number[] = []

  constructor(isTrusted: boolean) {
    this.#isTrusted = isTrusted
  }

  /** Number of arguments of the command, its name included. */
  get count(): number {
    return this.#count
  }

  /** Bytes received of commands that were not returned yet. */
  get pending(): number {
    return this.#end - (this.#expected > 0 ? this.#begin : this.#at)
  }

  /** Memory that the reader keeps, roughly. */
  get memory(): number {
    return this.#bytes.buffer.byteLength + 2 * Float64Array.BYTES_PER_ELEMENT * this.#starts.length
  }

  trust(isTrusted: boolean): void {
    this.#isTrusted = isTrusted
  }

  /** @param bytes not to be changed afterwards */
  add(bytes: Uint8Array): void {
    const pending = this.pending
    if (pending === 0) {
      this.#replace(bytes, bytes.length)
      return
    }
    if (!this.#isOwn || this.#bytes.length - this.#end < bytes.length) this.#move(2 * (pending + bytes.length))
    this.#bytes.set(bytes, this.#end)
    this.#end += bytes.length
  }

  /**
   * Reads the next command. Until the next call of add() or next(), argument() returns its arguments.
   * @returns false if more bytes have to arrive first
   * @throws ProtocolError
   */
  next(): boolean {
    while (this.#expected === 0) {
      if (this.#at === this.#end) {
        this.#replace(none, 0)
        this.#releasePlaces()
        return false
      }
      this.#count = 0
      this.#begin = this.#at
      if (this.#bytes[this.#at] !== star) {
        if (!this.#readInline()) return this.#keep()
        if (this.#count > 0) return true
      } else if (!this.#readCount()) return this.#keep()
    }
    while (this.#count < this.#expected) if (!this.#readArgument()) return this.#keep()
    this.#expected = 0
    return true
  }

  /** Returns a view of an argument's bytes. The view itself stays valid. */
  argument(index: number): Uint8Array {
    this.#hasViews = true
    return this.#bytes.subarray(this.#starts[index], this.#ends[index])
  }

  /** Returns the length of an argument in bytes. */
  lengthOf(index: number): number {
    return this.#ends[index]! - this.#starts[index]!
  }

  /** Returns a byte of an argument; 0 at its end. */
  byteOf(index: number, at: number): number {
    const from = this.#starts[index]! + at
    return from < this.#ends[index]! ? this.#bytes[from]! : 0
  }

  #readCount(): boolean {
    const count = this.#number()
    if (count === incomplete) return false
    if (count === malformed || count > limits.argumentsMax) throw new ProtocolError('invalid multibulk length')
    if (count > limits.openArgumentsMax && !this.#isTrusted) throw new ProtocolError('unauthenticated multibulk length')
    // An array without elements is not a command.
    this.#expected = Math.max(0, count)
    return true
  }

  #readArgument(): boolean {
    if (this.#length < 0 && !this.#readLength()) return false
    const stop = this.#at + this.#length
    if (stop + 2 > this.#end) return false
    if (this.#bytes[stop] !== cr || this.#bytes[stop + 1] !== lf) throw new ProtocolError('invalid bulk length')
    this.#starts[this.#count] = this.#at
    this.#ends[this.#count] = stop
    this.#count++
    this.#at = stop + 2
    this.#length = -1
    return true
  }

  #readLength(): boolean {
    if (this.#at === this.#end) return false
    if (this.#bytes[this.#at] !== dollar) throw ProtocolError.ofType(this.#bytes[this.#at]!)
    const length = this.#number()
    if (length === incomplete) return false
    const isWithin = this.#at - this.#begin + length <= limits.commandBytesMax
    if (length < 0 || !isWithin) throw new ProtocolError('invalid bulk length')
    if (length > limits.openArgumentBytesMax && !this.#isTrusted) throw new ProtocolError('unauthenticated bulk length')
    this.#length = length
    return true
  }

  /** Reads the number between a type byte and the end of the line. Moves on only if there is one. */
  #number(): number {
    const bytes = this.#bytes
    const end = this.#end
    let at = this.#at + 1
    const isNegative = at < end && bytes[at] === minus
    if (isNegative) at++
    const digitsAt = at
    let value = 0
    for (; at < end && at - digitsAt <= limits.digitsMax; at++) {
      const digit = bytes[at]! - zero
      if (!(digit >= 0 && digit <= 9)) break
      value = value * 10 + digit
    }
    const digits = at - digitsAt
    if (digits > limits.digitsMax || (digits > 1 && bytes[digitsAt] === zero)) return malformed
    if (at < end && (bytes[at] !== cr || digits === 0)) return malformed
    if (at + 1 >= end) return incomplete
    if (bytes[at + 1] !== lf) return malformed
    this.#at = at + 2
    return isNegative ? -1 : value
  }

  /** Reads an inline command; leaves the count at 0 if the line is empty. */
  #readInline(): boolean {
    const bytesMax = this.#isTrusted ? limits.inlineBytesMax : limits.openArgumentBytesMax
    // Without a view: a client may send nothing but empty lines.
    const lineEnd = this.#bytes.indexOf(lf, Math.max(this.#at, this.#searched))
    if (lineEnd < 0 || lineEnd >= this.#end) {
      this.#searched = this.#end
      if (this.#end - this.#at > bytesMax) throw new ProtocolError('too big inline request')
      return false
    }
    if (lineEnd - this.#at > bytesMax) throw new ProtocolError('too big inline request')
    const stop = lineEnd > this.#at && this.#bytes[lineEnd - 1] === cr ? lineEnd - 1 : lineEnd
    const count = readInline(this.#bytes, this.#at, stop, this.#starts, this.#ends)
    if (count < 0) throw new ProtocolError('unbalanced quotes in request')
    if (count > limits.openArgumentsMax && !this.#isTrusted) throw new ProtocolError('unauthenticated multibulk length')
    this.#count = count
    this.#at = lineEnd + 1
    this.#searched = 0
    return true
  }

  /** Keeps a copy of the bytes left, so that they do not keep a large piece. */
  #keep(): false {
    if (!this.#isOwn) this.#move(Math.max(limits.roomMin, this.#end - this.#begin))
    return false
  }

  /** Moves the bytes left to a new buffer of this reader. */
  #move(room: number): void {
    const from = this.#expected > 0 ? this.#begin : this.#at
    const kept = new Uint8Array(room)
    kept.set(this.#bytes.subarray(from, this.#end))
    for (let index = 0; index < this.#count; index++) {
      this.#starts[index]! -= from
      this.#ends[index]! -= from
    }
    this.#at -= from
    this.#end -= from
    this.#searched = Math.max(0, this.#searched - from)
    this.#begin = 0
    this.release()
    this.#bytes = kept
    this.#isOwn = true
  }

  /** A connection without a command in progress keeps little memory. */
  #releasePlaces(): void {
    if (this.#starts.length <= limits.placesMax) return
    this.#starts = []
    this.#ends = []
    this.#count = 0
  }

  /** Frees the memory of the buffer at once if no view needs it. Nothing is read from it afterwards. */
  release(): void {
    const { buffer } = this.#bytes
    if (this.#isOwn && !this.#hasViews && buffer instanceof ArrayBuffer) buffer.transfer(0)
    this.#hasViews = false
  }

  #replace(bytes: Uint8Array, end: number): void {
    this.release()
    this.#bytes = bytes
    this.#isOwn = false
    this.#at = 0
    this.#begin = 0
    this.#searched = 0
    this.#end = end
  }
}
