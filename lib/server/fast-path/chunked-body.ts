/** Finds the end of a chunked body (RFC 9112, section 7.1). A malformed body has no end. */

const sizeLine = /^([\da-f]{1,8})[ \t]*(?:;.*)?\r\n$/i
const lineCharactersMax = 16_384
const lineFeed = 0x0a
const emptyLine = '\r\n'

export class ChunkedBody {
  isComplete = false
  /** Remaining bytes of a chunk and its end of line. */
  #left = 0
  #line = ''
  #isInTrailers = false

  /** @returns index after the last byte that belongs to the body */
  consume(bytes: Uint8Array, from: number): number {
    let at = from
    while (at < bytes.length && !this.isComplete) {
      if (this.#left > 0) {
        const taken = Math.min(this.#left, bytes.length - at)
        this.#left -= taken
        at += taken
        continue
      }
      const byte = bytes[at++]!
      this.#line += String.fromCharCode(byte)
      if (byte === lineFeed) this.#endLine()
      else if (this.#line.length > lineCharactersMax) this.#left = Infinity
    }
    return at
  }

  #endLine(): void {
    const line = this.#line
    this.#line = ''
    if (this.#isInTrailers) {
      this.isComplete = line === emptyLine
      return
    }
    const size = sizeLine.exec(line)?.[1]
    if (size === undefined) this.#left = Infinity
    else if (Number.parseInt(size, 16) === 0) this.#isInTrailers = true
    else this.#left = Number.parseInt(size, 16) + emptyLine.length
  }
}
