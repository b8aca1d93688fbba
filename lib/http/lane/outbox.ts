/** What a socket has not taken yet: Bun's own sockets keep nothing of what there is no room for. */
import type { Socket } from 'bun'

export class Outbox {
  readonly #socket: Socket<unknown>
  #left: Uint8Array | undefined

  constructor(socket: Socket<unknown>) {
    this.#socket = socket
  }

  get isEmpty(): boolean {
    return this.#left === undefined
  }

  /** @param bytes may be used again at once @returns whether all of it is on its way */
  send(bytes: Uint8Array, length = bytes.length): boolean {
    if (this.#left !== undefined) {
      this.#left = Buffer.concat([this.#left, bytes.subarray(0, length)])
      return false
    }
    const taken = this.#write(bytes, length)
    // Not slice(), which for a Buffer is a view: the next answer, to whomever, would be written into what is left.
    if (taken < length) this.#left = new Uint8Array(bytes.subarray(taken, length))
    return taken === length
  }

  /** To be called when there is room again. @returns whether all of it is on its way */
  drain(): boolean {
    if (this.#left === undefined) return true
    const taken = this.#write(this.#left, this.#left.length)
    this.#left = taken < this.#left.length ? this.#left.subarray(taken) : undefined
    return this.#left === undefined
  }

  /** A socket that is closed takes nothing: what is left goes with it. */
  #write(bytes: Uint8Array, length: number): number {
    return length === 0 ? 0 : Math.max(0, this.#socket.write(bytes, 0, length))
  }
}
