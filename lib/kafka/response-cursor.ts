/** Reads the fields of a response one after the other, for those that kafkajs does not know in the version needed. */
import { LatchkeyError } from '../errors.ts'

export class ResponseCursor {
  readonly #buffer: Buffer
  readonly #name: string
  #at = 0

  /** @param name of the request, for messages */
  constructor(buffer: Buffer, name: string) {
    this.#buffer = buffer
    this.#name = name
  }

  int16(): number {
    return this.#buffer.readInt16BE(this.#take(2))
  }

  int32(): number {
    return this.#buffer.readInt32BE(this.#take(4))
  }

  skip(bytes: number): void {
    this.#take(bytes)
  }

  /** Also of a null one, which counts as empty. */
  string(): string {
    const length = Math.max(this.int16(), 0)
    const start = this.#take(length)
    return this.#buffer.toString('utf8', start, start + length)
  }

  bytes(): void {
    this.#take(Math.max(this.int32(), 0))
  }

  array<Item>(read: () => Item): Item[] {
    const items: Item[] = []
    for (let left = this.int32(); left > 0; left--) items.push(read())
    return items
  }

  #take(bytes: number): number {
    const start = this.#at
    if (start + bytes > this.#buffer.length) {
      const found = `${this.#buffer.length} bytes that end too early`
      throw new LatchkeyError('response_malformed', `Reading a ${this.#name} response: ${found}`)
    }
    this.#at += bytes
    return start
  }
}
