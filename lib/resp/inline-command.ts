/**
 * Splits an inline command, as a person types it into telnet: words separated by blanks. A word may have quotes, within
 * which "double" ones know the escapes of C and 'single' ones only \'. The rules are those of Redis (sdssplitargs).
 */
const doubleQuote = 0x22
const singleQuote = 0x27
const backslash = 0x5c

const escapes: Readonly<Record<number, number>> = { 0x6e: 0x0a, 0x72: 0x0d, 0x74: 0x09, 0x62: 0x08, 0x61: 0x07 }

/**
 * Writes the words over the line, without quotes and escapes: they take no more bytes than before.
 *
 * @param bytes the line is from `start` to `end`, without its line break
 * @param starts receives the place of each word's first byte
 * @param ends receives the place after each word
 * @returns the number of words; -1 if a quote has no end, or if no blank follows it
 */
export function readInline(bytes: Uint8Array, start: number, end: number, starts: number[], ends: number[]): number {
  let count = 0
  let from = start
  let to = start
  for (;;) {
    while (from < end && isBlank(bytes[from]!)) from++
    if (from === end) return count
    starts[count] = to = Math.max(to, start)
    for (; from < end && !isBlank(bytes[from]!); from++) {
      const byte = bytes[from]!
      if (byte !== doubleQuote && byte !== singleQuote) {
        bytes[to++] = byte
        continue
      }
      for (from++; from < end && bytes[from] !== byte; from++) {
        if (bytes[from] !== backslash || from + 1 === end) bytes[to++] = bytes[from]!
        else if (byte === singleQuote) bytes[to++] = bytes[from + 1] === singleQuote ? bytes[++from]! : backslash
        else {
          const hex = hexByte(bytes, from + 1, end)
          from += hex < 0 ? 1 : 3
          bytes[to++] = hex < 0 ? (escapes[bytes[from]!] ?? bytes[from]!) : hex
        }
      }
      if (from >= end || (from + 1 < end && !isBlank(bytes[from + 1]!))) return -1
    }
    ends[count++] = to
  }
}

/** Returns the byte that `x4f` stands for; -1 if this is no such escape. */
function hexByte(bytes: Uint8Array, at: number, end: number): number {
  if (bytes[at] !== 0x78 || at + 2 >= end) return -1
  const high = hexDigit(bytes[at + 1]!)
  const low = hexDigit(bytes[at + 2]!)
  return high < 0 || low < 0 ? -1 : high * 16 + low
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const letter = byte | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x61 + 10 : -1
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d) || byte === 0
}
