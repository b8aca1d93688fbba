/** Finds the end of a response of Bun's server, after which the client's next request may follow. */
import { HeadText } from './head-text.ts'

const lengthPattern = /^\d{1,15}$/

export class AnswerEnd {
  #head = new HeadText()
  /** Remaining bytes of the body. Infinity if only the end of the connection ends the body. */
  #left = 0
  #isLast = false
  /** 0 until the head of the final response is complete. */
  status = 0
  bodyBytes = 0

  /** Some bytes of the response were taken. */
  get isBegun(): boolean {
    return this.#head.text !== ''
  }

  /** All bytes of the response were taken. */
  get isComplete(): boolean {
    return this.#head.isComplete && this.#left === 0
  }

  /** The connection ends with the response. */
  get isLast(): boolean {
    return this.#isLast
  }

  /**
   * @param isHead true for a response to HEAD
   * @returns number of bytes that belong to the response
   */
  consume(bytes: Uint8Array, isHead: boolean): number {
    let at = 0
    while (!this.#head.isComplete && at < bytes.length) {
      at = this.#head.add(bytes, at)
      if (this.#head.isComplete) this.#begin(isHead)
    }
    const taken = Math.min(this.#left, bytes.length - at)
    this.#left -= taken
    this.bodyBytes += taken
    return at + taken
  }

  #begin(isHead: boolean): void {
    const status = Number(this.#head.text.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length))
    if (status >= 100 && status < 200) {
      // An interim response; the final one follows.
      this.#head = new HeadText()
      return
    }
    this.status = status
    const [length = ''] = this.#head.valuesOf('content-length')
    this.#isLast = this.#head.valuesOf('connection').includes('close')
    if (isHead || status === 204 || status === 304) this.#left = 0
    else this.#left = lengthPattern.test(length) ? Number(length) : Infinity
  }
}
