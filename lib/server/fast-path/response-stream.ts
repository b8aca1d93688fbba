/**
 * Sends a response whose body is made piece by piece, as chunks (RFC 9112, section 7.1). A piece is read when the client
 * has taken the former one.
 */
import type { StreamAnswer } from '../../http/stream-answer.ts'
import { headOf, type ResponseContext } from './head.ts'
import { writeChunk, writeText } from './response-writer.ts'
import type { WriteBuffer } from './write-buffer.ts'

export class ResponseStream {
  readonly #to: WriteBuffer
  readonly #answer: StreamAnswer
  readonly #progressed: () => void
  readonly #done = Promise.withResolvers<number>()
  #bytes = 0
  #isReading = false

  /** @param progressed called for each piece that the client's socket has taken */
  constructor(to: WriteBuffer, answer: StreamAnswer, progressed: () => void) {
    this.#to = to
    this.#answer = answer
    this.#progressed = progressed
  }

  /**
   * Resolves with the size of the body when all of it was handed to the write buffer, or when the client is not reading
   * any more. Rejects if the body cannot be completed.
   */
  send(context: ResponseContext): Promise<number> {
    const { source } = this.#answer
    const lines = `${this.#answer.headerLines()}Transfer-Encoding: chunked\r\n`
    writeText(this.#to, headOf(200, lines, undefined, context))
    source.ready = () => this.pump()
    // The client may have left while its answer was being made.
    if (this.#to.isClosed) this.cancel()
    else this.pump()
    return this.#done.promise
  }

  /** Sends pieces until the socket is full, or until there are none. To be called when the socket has room again. */
  pump(): void {
    // A piece that is there at once calls ready() within read().
    if (this.#isReading) return
    try {
      while (this.#to.isEmpty && !this.#to.isClosed) {
        this.#isReading = true
        const piece = this.#answer.source.read()
        this.#isReading = false
        if (piece === undefined) return
        if (piece === null) {
          writeText(this.#to, '0\r\n\r\n')
          return this.#done.resolve(this.#bytes)
        }
        if (piece.length > 0) this.#sendChunk(piece)
      }
    } catch (thrown) {
      this.#done.reject(thrown)
    }
  }

  /** The server stops. */
  end(): void {
    this.#answer.source.end?.()
  }

  /** The client is not reading any more. */
  cancel(): void {
    this.#answer.source.cancel()
    this.#done.resolve(this.#bytes)
  }

  #sendChunk(piece: Uint8Array): void {
    this.#bytes += piece.length
    writeChunk(this.#to, piece)
    if (this.#to.isEmpty) this.#progressed()
  }
}
