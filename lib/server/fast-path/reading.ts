/** Pauses and resumes reading from a client. */
import type { Socket } from 'bun'

export class Reading {
  readonly #socket: Pick<Socket<unknown>, 'pause' | 'resume'>
  #isPaused = false

  constructor(socket: Pick<Socket<unknown>, 'pause' | 'resume'>) {
    this.#socket = socket
  }

  set isPaused(isPaused: boolean) {
    if (isPaused === this.#isPaused) return
    this.#isPaused = isPaused
    if (isPaused) this.#socket.pause()
    else this.#socket.resume()
  }
}
