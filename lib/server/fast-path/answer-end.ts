/** Finds where an answer of Bun's server ends, so that the client's next request can follow. */
import { HeadText } from './head-text.ts'

const lengthPattern = /^\d{1,15}$/

export class AnswerEnd {
  #head = new HeadText()
  /** Of the body; Infinity where only the end of the connection ends it. */
  #left = 0
  #isLast = false

  /** Some of it was taken. */
  get isBegun(): boolean {
    return this.#head.text !== ''
  }

  /** All of it was taken. */
  get isComplete(): boolean {
    return this.#head.isComplete && this.#left === 0
  }

  /** The connection ends with it. */
  get isLast(): boolean {
    return this.#isLast
  }

  /** @param isHead it answers a HEAD @returns how many of the bytes belong to it */
  take(bytes: Uint8Array, isHead: boolean): number {
    let at = 0
    while (!this.#head.isComplete && at < bytes.length) {
      at = this.#head.add(bytes, at)
      if (this.#head.isComplete) this.#begin(isHead)
    }
    const taken = Math.min(this.#left, bytes.length - at)
    this.#left -= taken
    return at + taken
  }

  #begin(isHead: boolean): void {
    const status = Number(this.#head.text.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length))
    if (status >= 100 && status < 200) {
      // An interim one; the answer is still to come.
      this.#head = new HeadText()
      return
    }
    const [length = ''] = this.#head.valuesOf('content-length')
    this.#isLast = this.#head.valuesOf('connection').includes('close')
    if (isHead || status === 204 || status === 304) this.#left = 0
    else this.#left = lengthPattern.test(length) ? Number(length) : Infinity
  }
}
