/** Bytes that a socket has not taken yet. Bun's sockets do not buffer bytes for which they have no room. */
import { releaseResponse } from '../../http/response-memory.ts'
import type { HeldAnswers, Holder } from './held-answers.ts'

/** A socket of Bun. */
interface WritableSocket extends Holder {
  /** @returns number of bytes taken; -1 if the socket is closed */
  write(bytes: Uint8Array, from: number, length: number): number
}

export class WriteBuffer {
  readonly #socket: WritableSocket
  readonly #held: HeldAnswers | undefined
  readonly #holder: Holder
  /** In order. The first one lacks the bytes that the socket has taken. */
  #left: Uint8Array[] = []
  /** Those whose memory is freed after sending. */
  #owned: Set<Uint8Array> | undefined
  /** Memory that they keep, which may be more than the bytes left. */
  #leftBytes = 0
  #isClosed = false

  /**
   * @param held counts the bytes left; absent if no client decides how many there are
   * @param holder is terminated if it holds too many bytes
   */
  constructor(socket: WritableSocket, held?: HeldAnswers, holder: Holder = socket) {
    this.#socket = socket
    this.#held = held
    this.#holder = holder
  }

  get isEmpty(): boolean {
    return this.#left.length === 0
  }

  /** Memory of the bytes left. */
  get bytes(): number {
    return this.#leftBytes
  }

  /**
   * The socket is closed: nothing is sent or kept. Otherwise a client that has reset its connection would cost as much
   * memory as its responses.
   */
  get isClosed(): boolean {
    return this.#isClosed
  }

  /**
   * @param bytes not to be changed afterwards: bytes that the socket does not take are kept without a copy
   * @returns whether all bytes were handed to the socket
   */
  send(bytes: Uint8Array): boolean {
    const left = this.#write(bytes, bytes.length)
    if (left > 0) this.#keep(bytes.subarray(bytes.length - left))
    return this.isEmpty
  }

  /**
   * @param body with memory that no one else uses: it is freed after sending, or when it is not needed
   * @returns whether all bytes were handed to the socket
   */
  sendOwn(body: Uint8Array): boolean {
    const left = this.#write(body, body.length)
    if (left === 0) releaseResponse(body)
    else this.#keep(this.#own(body.subarray(body.length - left)))
    return this.isEmpty
  }

  /**
   * @param page the first `length` bytes are sent; the caller may reuse it at once
   * @returns whether all bytes were handed to the socket
   */
  sendFrom(page: Uint8Array, length: number): boolean {
    const left = this.#write(page, length)
    // A copy. Buffer.slice() is a view: the next response, to any client, would overwrite the bytes left.
    if (left > 0) this.#keep(new Uint8Array(page.subarray(length - left, length)))
    return this.isEmpty
  }

  /**
   * To be called when the socket has room again.
   * @returns whether all bytes were handed to the socket
   */
  drain(): boolean {
    const waiting = this.#left
    this.#held?.took(this.#holder)
    this.#left = []
    this.#leftBytes = 0
    for (const bytes of waiting) {
      if (this.#owned?.delete(bytes)) this.sendOwn(bytes)
      else this.send(bytes)
    }
    if (this.isEmpty) this.#held?.release(this.#holder)
    return this.isEmpty
  }

  /** Drops the bytes left: the socket is closed. */
  close(): void {
    this.#isClosed = true
    for (const bytes of this.#owned ?? []) releaseResponse(bytes)
    this.#owned = undefined
    this.#forget()
  }

  /** Calls hold() last, because hold() may close the connection. */
  #keep(bytes: Uint8Array): void {
    this.#left.push(bytes)
    this.#leftBytes += bytes.buffer.byteLength
    this.#held?.hold(this.#holder, this.#leftBytes)
  }

  #forget(): void {
    this.#left = []
    this.#leftBytes = 0
    this.#held?.release(this.#holder)
  }

  #own(bytes: Uint8Array): Uint8Array {
    this.#owned ??= new Set()
    this.#owned.add(bytes)
    return bytes
  }

  /** @returns number of bytes left to send */
  #write(bytes: Uint8Array, length: number): number {
    if (this.#isClosed || length === 0) return 0
    if (this.#left.length > 0) return length
    const taken = this.#socket.write(bytes, 0, length)
    if (taken >= 0) return length - taken
    // write() reports a closed socket before its close event arrives.
    this.close()
    return 0
  }
}
