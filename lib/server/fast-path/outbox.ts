/** What a socket has not taken yet: Bun's own sockets keep nothing of what there is no room for. */
import { giveBack } from '../../http/give-back.ts'
import type { HeldAnswers, Holder } from './held-answers.ts'

/** Of Bun's sockets. */
interface Writable extends Holder {
  /** @returns how much of it was taken; -1 where the socket is closed */
  write(bytes: Uint8Array, from: number, length: number): number
}

export class Outbox {
  readonly #socket: Writable
  readonly #held: HeldAnswers | undefined
  /** In order. The first one lacks what the socket has taken of it. */
  #left: Uint8Array[] = []
  /** Of those, the ones whose memory is given back. */
  readonly #owned = new Set<Uint8Array>()
  /** Of memory that they keep, which may be more than is left of them. */
  #leftBytes = 0
  #isClosed = false

  /** @param held where what is left counts; absent where no client has a say in how much that is */
  constructor(socket: Writable, held?: HeldAnswers) {
    this.#socket = socket
    this.#held = held
  }

  get isEmpty(): boolean {
    return this.#left.length === 0
  }

  /** The socket is closed: nothing is sent or kept any more, since a client that has reset its connection would cost as much memory as its answers. */
  get isClosed(): boolean {
    return this.#isClosed
  }

  /** @param bytes not to be changed afterwards: what the socket does not take is kept without a copy @returns whether all of it is on its way */
  send(bytes: Uint8Array): boolean {
    const left = this.#write(bytes, bytes.length)
    if (left > 0) this.#keep(bytes.subarray(bytes.length - left))
    return this.isEmpty
  }

  /** @param body whose memory nobody else looks at: it is given back once it is sent, or not wanted any more @returns whether all of it is on its way */
  sendOwn(body: Uint8Array): boolean {
    const left = this.#write(body, body.length)
    if (left === 0) giveBack(body)
    else this.#keep(this.#own(body.subarray(body.length - left)))
    return this.isEmpty
  }

  /** @param page of which the first `length` bytes are sent; it may be used again at once @returns whether all of it is on its way */
  sendFrom(page: Uint8Array, length: number): boolean {
    const left = this.#write(page, length)
    // Not slice(), which for a Buffer is a view: the next answer, to whomever, would be written into what is left.
    if (left > 0) this.#keep(new Uint8Array(page.subarray(length - left, length)))
    return this.isEmpty
  }

  /** To be called when there is room again. @returns whether all of it is on its way */
  drain(): boolean {
    const waiting = this.#left
    this.#forget()
    for (const bytes of waiting) {
      if (this.#owned.delete(bytes)) this.sendOwn(bytes)
      else this.send(bytes)
    }
    return this.isEmpty
  }

  /** Forgets what is left: the socket is closed. */
  close(): void {
    this.#isClosed = true
    for (const bytes of this.#owned) giveBack(bytes)
    this.#owned.clear()
    this.#forget()
  }

  /** Last of all, since the connection may be closed for it. */
  #keep(bytes: Uint8Array): void {
    this.#left.push(bytes)
    this.#leftBytes += bytes.buffer.byteLength
    this.#held?.hold(this.#socket, this.#leftBytes)
  }

  #forget(): void {
    this.#left = []
    this.#leftBytes = 0
    this.#held?.release(this.#socket)
  }

  #own(bytes: Uint8Array): Uint8Array {
    this.#owned.add(bytes)
    return bytes
  }

  /** @returns how much of it is left to be sent */
  #write(bytes: Uint8Array, length: number): number {
    if (this.#isClosed || length === 0) return 0
    if (this.#left.length > 0) return length
    const taken = this.#socket.write(bytes, 0, length)
    if (taken >= 0) return length - taken
    // A socket that is closed says so before its end is heard of.
    this.close()
    return 0
  }
}
