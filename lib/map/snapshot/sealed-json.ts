/** Small files: the checksum of the rest, a line feed, and JSON. */

/** Returns the checksum of bytes: xxHash3, 64 bits, in hexadecimal. It finds faults of a disk, not an attacker. */
export function sumOf(bytes: Uint8Array): string {
  return Bun.hash.xxHash3(bytes).toString(16).padStart(16, '0')
}

export function sealJson(value: unknown): Uint8Array {
  const json = Buffer.from(JSON.stringify(value))
  return Buffer.concat([Buffer.from(`${sumOf(json)}\n`), json])
}

/** Returns the value, or undefined if the file is not what sealJson made. */
export function openSealedJson(content: Uint8Array): { value: unknown } | undefined {
  const end = content.indexOf(lineFeed)
  if (end < 0) return undefined
  const json = content.subarray(end + 1)
  if (Buffer.from(content.subarray(0, end)).toString() !== sumOf(json)) return undefined
  try {
    return { value: JSON.parse(Buffer.from(json).toString()) }
  } catch {
    return undefined
  }
}

const lineFeed = 10
