/**
 * 200 with a body that is made while it is sent, piece by piece: the next piece is made when the client has taken the
 * former one, so a slow client holds one piece and nothing else.
 */
import { type AddedHeaders, addTo, linesOf } from './added-headers.ts'

/** Where the pieces of a body come from. It has one reader. */
export interface BodySource {
  /**
   * @returns the next piece, with memory of its own; undefined if there is none yet: `ready` is called once there may
   *   be one; null at the end
   * @throws Error if the body cannot be completed: the connection is closed before the end of the response
   */
  read(): Uint8Array<ArrayBuffer> | undefined | null
  /** Set by the reader before its first call of read(). */
  ready: () => void
  /** The client is not reading any more. */
  cancel(): void
  /** The server stops: a body without an end of its own ends soon. Absent for others. */
  end?(): void
}

/** For HEAD: like that to GET, the response announces no length. */
export const emptyBody: BodySource = { read: () => null, ready: () => {}, cancel: () => {} }

export class StreamAnswer {
  readonly status = 200
  readonly source: BodySource
  readonly #headers: Record<string, string>
  #added: AddedHeaders = {}

  constructor(source: BodySource, headers: Record<string, string>) {
    this.source = source
    this.#headers = headers
  }

  /** Returns the header lines, without those that every response has. */
  headerLines(): string {
    return linesOf(this.#headers) + linesOf(this.#added)
  }

  add(headers: AddedHeaders): void {
    this.#added = { ...this.#added, ...headers }
  }

  /** Returns the same response with the pieces of another source. */
  from(source: BodySource): StreamAnswer {
    const answer = new StreamAnswer(source, this.#headers)
    answer.add(this.#added)
    return answer
  }

  toResponse(): Response {
    const response = new Response(streamOf(this.source), { headers: this.#headers })
    addTo(response.headers, this.#added)
    return response
  }
}

function streamOf(source: BodySource): ReadableStream<Uint8Array> {
  const pull = async (controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
    for (;;) {
      const ready = new Promise<void>((resolve) => (source.ready = resolve))
      const piece = source.read()
      if (piece === null) return controller.close()
      if (piece !== undefined) return controller.enqueue(piece)
      await ready
    }
  }
  return new ReadableStream({ pull, cancel: () => source.cancel() }, { highWaterMark: 0 })
}
