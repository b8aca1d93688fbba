/** Bodies without an end that Bun's server sends: they end when the server stops, which does not wait for them. */
import type { Answer, RequestHandler } from '../http/answer.ts'
import { mapAnswer } from '../http/pending-answer.ts'
import { type BodySource, StreamAnswer } from '../http/stream-answer.ts'
import type { Drainable } from './drain.ts'

export class OpenStreams implements Drainable {
  readonly #sources = new Set<BodySource>()
  #isStopping = false

  /** Returns a request handler whose bodies without an end are known here. */
  watched(requestHandler: RequestHandler): RequestHandler {
    const watch = (answer: Answer) => this.#watch(answer)
    return (request, target) => mapAnswer(requestHandler(request, target), watch)
  }

  announceClose(): void {}

  async stop(): Promise<void> {
    this.#isStopping = true
    for (const source of this.#sources) source.end?.()
  }

  destroy(): void {}

  #watch(answer: Answer): Answer {
    if (!(answer instanceof StreamAnswer) || answer.source.end === undefined) return answer
    const { source } = answer
    this.#sources.add(source)
    if (this.#isStopping) source.end?.()
    return answer.from(new WatchedSource(source, () => this.#sources.delete(source)))
  }
}

class WatchedSource implements BodySource {
  ready = (): void => {}
  readonly #source: BodySource
  readonly #ended: () => void

  constructor(source: BodySource, ended: () => void) {
    this.#source = source
    this.#ended = ended
    source.ready = () => this.ready()
  }

  read(): Uint8Array<ArrayBuffer> | undefined | null {
    const piece = this.#source.read()
    if (piece === null) this.#ended()
    return piece
  }

  cancel(): void {
    this.#ended()
    this.#source.cancel()
  }
}
