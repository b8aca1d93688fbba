/** All entries as lines, while the client takes them. The last line shows that none is missing. */
import { messageOf } from '../errors.ts'
import { loggerOf, RepeatedLog } from '../log/index.ts'
import { listHeaders } from './list-answer.ts'
import { type BodySource, StreamAnswer } from './stream-answer.ts'
import { restartedMember, type Walk } from './walk.ts'

const encoder = new TextEncoder()
const repeatedLog = new RepeatedLog(loggerOf('http'))

/**
 * Reads the first chunk before it resolves, so a store that does not answer is an error and not a cut stream.
 *
 * @param abort of the walk's signal; for when the client has left
 * @throws LatchkeyError as readChunk() does; as a rejection
 */
export async function dumpOf(walk: Walk, abort: AbortController): Promise<StreamAnswer> {
  const source = new Dump(walk, abort)
  await source.begin()
  return new StreamAnswer(source, listHeaders('ndjson', {}))
}

class Dump implements BodySource {
  ready = (): void => {}
  readonly #walk: Walk
  readonly #abort: AbortController
  #piece: Uint8Array<ArrayBuffer> | undefined
  #entries = 0
  #isReading = false
  #hasEndLine = false
  #failure: unknown

  constructor(walk: Walk, abort: AbortController) {
    this.#walk = walk
    this.#abort = abort
  }

  async begin(): Promise<void> {
    if (this.#walk.position !== undefined) await this.#next()
  }

  read(): Uint8Array<ArrayBuffer> | undefined | null {
    if (this.#failure !== undefined) throw this.#failure
    const piece = this.#piece
    if (piece !== undefined) {
      this.#piece = undefined
      return piece
    }
    if (this.#isReading) return undefined
    if (this.#walk.position === undefined) {
      if (this.#hasEndLine) return null
      this.#hasEndLine = true
      return encoder.encode(`{"end":true,"entries":${this.#entries}${restartedMember(this.#walk)}}\n`)
    }
    void this.#readOn()
    return undefined
  }

  cancel(): void {
    this.#abort.abort()
    this.#piece = undefined
  }

  async #readOn(): Promise<void> {
    this.#isReading = true
    try {
      await this.#next()
    } catch (thrown) {
      if (this.#abort.signal.aborted) return
      this.#failure = thrown
      const message = 'Sending all entries: cut off, because {error}. The client sees that the end is missing'
      repeatedLog.log('warning', 'dump', message, { error: messageOf(thrown) })
    }
    this.#isReading = false
    if (!this.#abort.signal.aborted) this.ready()
  }

  async #next(): Promise<void> {
    const { bytes, count } = await this.#walk.next(Infinity)
    this.#entries += count
    this.#piece = bytes
  }
}
