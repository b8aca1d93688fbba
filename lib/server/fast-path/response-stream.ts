/**
 * Sends a response whose body is made piece by piece, as chunks (RFC 9112, section 7.1). A piece is read when the client
 * has taken the former one.
 */
import type { BodySource } from '../../http/stream-answer.ts'
import { writeChunk, writeText } from './response-writer.ts'
import type { WriteBuffer } from './write-buffer.ts'

/** Where a stream is sent. */
export interface StreamReceiver {
  readonly writeBuffer: WriteBuffer
  /** The client's socket has taken a piece. */
  progressed(): void
  /**
   * All of the body was handed over, or the client is not reading any more.
   * @param bytes size of the body
   */
  streamed(bytes: number): void
  /** The body cannot be completed. */
  failed(): void
}

export class ResponseStream {
  readonly #to: StreamReceiver
  readonly #source: BodySource
  #bytes = 0
  #isReading = false
  #isOver = false

  constructor(to: StreamReceiver, source: BodySource) {
    this.#to = to
    this.#source = source
  }

  /** Begins to send, after the head. */
  begin(): void {
    this.#source.ready = () => this.pump()
    // The client may have left while its answer was being made.
    if (this.#to.writeBuffer.isClosed) this.cancel()
    else this.pump()
  }

  /** Sends pieces until the socket is full, or until there are none. To be called when the socket has room again. */
  pump(): void {
    const { writeBuffer } = this.#to
    // A piece that is there at once calls ready() within read().
    if (this.#isReading || this.#isOver) return
    try {
      while (writeBuffer.isEmpty && !writeBuffer.isClosed) {
        this.#isReading = true
        const piece = this.#source.read()
        this.#isReading = false
        if (piece === undefined) return
        if (piece === null) {
          writeText(writeBuffer, '0\r\n\r\n')
          return this.#end()
        }
        if (piece.length > 0) this.#sendChunk(piece)
      }
    } catch {
      this.#isOver = true
      this.#to.failed()
    }
  }

  /** The server stops. */
  end(): void {
    this.#source.end?.()
  }

  /** The client is not reading any more. */
  cancel(): void {
    if (this.#isOver) return
    this.#source.cancel()
    this.#end()
  }

  #sendChunk(piece: Uint8Array): void {
    this.#bytes += piece.length
    writeChunk(this.#to.writeBuffer, piece)
    if (this.#to.writeBuffer.isEmpty) this.#to.progressed()
  }

  #end(): void {
    this.#isOver = true
    this.#to.streamed(this.#bytes)
  }
}
