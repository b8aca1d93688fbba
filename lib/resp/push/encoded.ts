/** Bytes of pushes, encoded once for all clients that get them. */

const crlf = Buffer.from('\r\n')

/**
 * Encodes an array of strings without its first byte, in which RESP2 (`*`) and RESP3 (`>`) differ.
 */
export function encoded(parts: readonly (string | Uint8Array)[]): Uint8Array {
  const pieces: Uint8Array[] = [Buffer.from(`${parts.length}\r\n`)]
  for (const part of parts) {
    const bytes = typeof part === 'string' ? Buffer.from(part, 'latin1') : part
    pieces.push(Buffer.from(`$${bytes.length}\r\n`), bytes, crlf)
  }
  return Buffer.concat(pieces)
}

/** A string with one character for each byte. */
export function latin1Of(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
}

/** Whether a part of `data` begins with a prefix. */
export function hasPrefix(data: Uint8Array, start: number, length: number, prefix: Uint8Array): boolean {
  if (length < prefix.length) return false
  for (let i = 0; i < prefix.length; i++) if (data[start + i] !== prefix[i]) return false
  return true
}

export function bytesOf(latin1: string): Uint8Array {
  return Buffer.from(latin1, 'latin1')
}
