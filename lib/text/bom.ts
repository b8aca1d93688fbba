/** The byte order mark that some editors and programs put before UTF-8 text. It is not part of the text. */
const mark = '\uFEFF'

export function withoutBom(text: string): string {
  return text.startsWith(mark) ? text.slice(mark.length) : text
}

/** Like withoutBom, for bytes. Returns a view after the mark if there is one. */
export function bytesWithoutBom(bytes: Uint8Array): Uint8Array {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes
}
