/** The head of a request or an answer, which may come in pieces. */

const headEnd = '\r\n\r\n'
/** More than Bun's server takes, and than any answer has: beyond it a head is never complete. */
const charactersMax = 24_576

export class HeadText {
  /** A character for each byte: of what is complete the lines with their ends, and the empty one. */
  text = ''
  isComplete = false

  /** @returns up to where the bytes belong to it */
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

  /** Values of all headers of that name, which is in lower case, themselves in lower case. */
  valuesOf(name: string): string[] {
    const values: string[] = []
    for (const line of this.text.split('\r\n').slice(1)) {
      const colon = line.indexOf(':')
      // A name with a space behind it is none that is allowed: whoever judges the request refuses it.
      if (line.slice(0, colon).trim().toLowerCase() === name)
        values.push(
          line
            .slice(colon + 1)
            .trim()
            .toLowerCase(),
        )
    }
    return values
  }
}
