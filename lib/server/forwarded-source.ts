/**
 * The pieces of a stream behind a tunnel. A tunnel always receives, so the next piece waits until the client has taken
 * enough of the former ones.
 */
import type { BodySource } from '../http/stream-answer.ts'
import type { ForwardedRequests } from './forwarded-requests.ts'

export class ForwardedSource implements BodySource {
  ready = (): void => {}
  readonly #source: BodySource
  readonly #port: number
  readonly #forwarded: ForwardedRequests

  /** @param port of the tunnel */
  constructor(source: BodySource, port: number, forwarded: ForwardedRequests) {
    this.#source = source
    this.#port = port
    this.#forwarded = forwarded
    source.ready = () => this.ready()
  }

  read(): Uint8Array<ArrayBuffer> | undefined | null {
    if (!this.#forwarded.hasStreamRoom(this.#port, () => this.ready())) return undefined
    const piece = this.#source.read()
    if (piece) this.#forwarded.madePiece(this.#port, piece.length)
    return piece
  }

  cancel(): void {
    this.#source.cancel()
  }
}
