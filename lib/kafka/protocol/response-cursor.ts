/** Reads the fields of a response in order, for responses that kafkajs does not know in the required version. */
import { LatchkeyError, messageOf } from '../../errors.ts'

/**
 * Runs a parser of a response. Any error in it means a damaged response and becomes `response_malformed`, which is
 * retriable.
 * @param name of the request, for messages
 */
export function reading<Result>(name: string, read: () => Result): Result {
  try {
    return read()
  } catch (cause) {
    if (cause instanceof LatchkeyError) throw cause
    throw malformed(name, messageOf(cause), cause)
  }
}

/** Returns an offset, an id or -1. Any other number is damage. */
export function checkedOffset(value: number | string | bigint, name: string): number {
  const offset = Number(value)
  if (!Number.isSafeInteger(offset) || offset < -1) throw malformed(name, `offset ${value}`)
  return offset
}

export function malformed(name: string, found: string, cause?: unknown): LatchkeyError {
  return new LatchkeyError('response_malformed', `Reading a ${name} response: ${found}`, { cause })
}

export class ResponseCursor {
  readonly #buffer: Buffer
  readonly #name: string
  #at = 0

  /** @param name of the request, for messages */
  constructor(buffer: Buffer, name: string) {
    this.#buffer = buffer
    this.#name = name
  }

  /** Position of the next field. */
  get at(): number {
    return this.#at
  }

  int8(): number {
    return this.#buffer.readInt8(this.#take(1))
  }

  int16(): number {
    return this.#buffer.readInt16BE(this.#take(2))
  }

  int32(): number {
    return this.#buffer.readInt32BE(this.#take(4))
  }

  /** Reads an int64 that is an offset, an id or -1. */
  offset(): number {
    return checkedOffset(this.#buffer.readBigInt64BE(this.#take(8)), this.#name)
  }

  skip(bytes: number): void {
    this.#take(bytes)
  }

  /** Reads a string. A null string counts as empty. */
  string(): string {
    const length = Math.max(this.int16(), 0)
    const start = this.#take(length)
    return this.#buffer.toString('utf8', start, start + length)
  }

  /** Reads bytes, as a view. Null counts as empty. */
  bytes(): Buffer {
    const length = Math.max(this.int32(), 0)
    const start = this.#take(length)
    return this.#buffer.subarray(start, start + length)
  }

  array<Item>(read: () => Item): Item[] {
    const items: Item[] = []
    for (let left = this.int32(); left > 0; left--) items.push(read())
    return items
  }

  // Fields of flexible versions (KIP-482).

  unsignedVarint(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#buffer[this.#take(1)]!
      value += (byte & 127) * 2 ** shift
      if (byte < 128) return value
    }
    throw malformed(this.#name, 'a number of more than five bytes')
  }

  /** Reads a string. A null string counts as empty. */
  compactString(): string {
    const length = Math.max(this.unsignedVarint() - 1, 0)
    const start = this.#take(length)
    return this.#buffer.toString('utf8', start, start + length)
  }

  /** Reads an array. A null array counts as empty. */
  compactArray<Item>(read: () => Item): Item[] {
    const items: Item[] = []
    for (let left = this.unsignedVarint() - 1; left > 0; left--) items.push(read())
    return items
  }

  /** Returns the id in base64url, as Kafka writes it; undefined for the zero id, which stands for none. */
  uuid(): string | undefined {
    const start = this.#take(uuidBytes)
    const text = this.#buffer.toString('base64url', start, start + uuidBytes)
    return text === zeroUuid ? undefined : text
  }

  tags(): void {
    for (let left = this.unsignedVarint(); left > 0; left--) {
      this.unsignedVarint()
      this.#take(this.unsignedVarint())
    }
  }

  #take(bytes: number): number {
    const start = this.#at
    if (start + bytes > this.#buffer.length) {
      throw malformed(this.#name, `${this.#buffer.length} bytes that end too early`)
    }
    this.#at += bytes
    return start
  }
}

const uuidBytes = 16
const zeroUuid = 'A'.repeat(22)
