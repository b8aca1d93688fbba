/**
 * The body of a stream of status events. It queues nothing: a client that has taken its event gets the current one, and
 * skips those in between.
 */
import type { BodySource } from '../stream-answer.ts'

const nothing = (): void => {}

/** What streams send. All of them send the same bytes. */
export interface StatusPieces {
  /** Number of the current event. Numbers begin at 1. */
  readonly current: number
  /** Returns the current event, with all that a stream begins with if it is the first one of a stream. */
  piece(isFirst: boolean): Uint8Array<ArrayBuffer>
  closed(source: StatusSource): void
}

export class StatusSource implements BodySource {
  ready = nothing
  readonly #pieces: StatusPieces
  /** Number of the event that was sent last. */
  #sent = 0
  #isOver = false

  constructor(pieces: StatusPieces) {
    this.#pieces = pieces
  }

  read(): Uint8Array<ArrayBuffer> | undefined | null {
    if (this.#isOver) return null
    const isFirst = this.#sent === 0
    if (this.#sent === this.#pieces.current) return undefined
    this.#sent = this.#pieces.current
    return this.#pieces.piece(isFirst)
  }

  cancel(): void {
    this.#close()
  }

  /** The server stops. */
  end(): void {
    this.#close()
    this.ready()
  }

  #close(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#pieces.closed(this)
  }
}
