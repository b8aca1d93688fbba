/** The head of a request or a response, which may arrive in pieces. */

/** End of the last line of a head, and the empty line. */
export const headEnd = '\r\n\r\n'
/** More than Bun's server accepts, and than every response has. A longer head is never complete. */
const charactersMax = 24_576

export class HeadText {
  /** One character per byte. A complete head is its lines with their ends, and the empty line. */
  text = ''
  isComplete = false

  /** @returns index after the last byte that belongs to the head */
  add(bytes: Uint8Array, from: number): number {
    if (this.text.length > charactersMax) return bytes.length
    const before = this.text.length
    this.text += Buffer.from(bytes.buffer, bytes.byteOffset + from, bytes.length - from).toString('latin1')
    const end = this.text.indexOf(headEnd, Math.max(0, before - headEnd.length))
    if (end < 0 || end > charactersMax) return bytes.length
    this.isComplete = true
    this.text = this.text.slice(0, end + headEnd.length)
    return from + this.text.length - before
  }

  /**
   * Returns the values of all headers with a name, in lower case.
   * @param name in lower case
   */
  valuesOf(name: string): string[] {
    const values: string[] = []
    for (const line of this.text.split('\r\n').slice(1)) {
      const colon = line.indexOf(':')
      // A space before the colon is not allowed: the server that judges the request refuses it.
      if (line.slice(0, colon).trim().toLowerCase() === name) {
        values.push(
          line
            .slice(colon + 1)
            .trim()
            .toLowerCase(),
        )
      }
    }
    return values
  }
}
