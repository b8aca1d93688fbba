/** Target of a decompressor: a buffer that doubles up to a bound. A small buffer is kept for the next batch. */
export class OutputBuffer {
  bytes: Buffer = Buffer.alloc(0)
  readonly maxBytes: number
  readonly #keptBytesMax: number

  constructor(maxBytes: number, keptBytesMax: number) {
    this.maxBytes = maxBytes
    this.#keptBytesMax = keptBytesMax
  }

  /** Starts a new output. Earlier content may be overwritten. */
  reset(): void {
    if (this.bytes.length > this.#keptBytesMax) this.bytes = Buffer.alloc(0)
  }

  /** Makes `bytes` at least `length` long and keeps its first `used` bytes. Throws if that exceeds the bound. */
  reserve(length: number, used: number): void {
    if (length <= this.bytes.length) return
    if (length > this.maxBytes) throw tooLarge(this.maxBytes)
    const larger = Buffer.allocUnsafeSlow(Math.min(this.maxBytes, Math.max(length, 2 * this.bytes.length)))
    this.bytes.copy(larger, 0, 0, used)
    this.bytes = larger
  }
}

const tooLargeCode = 'ERR_BUFFER_TOO_LARGE'

/** Returns the error of output beyond its bound. It has the code of zlib's error. */
export function tooLarge(maxBytes: number): Error {
  return Object.assign(new Error(`they take more than the ${maxBytes} bytes allowed`), { code: tooLargeCode })
}

export function isTooLarge(thrown: unknown): boolean {
  return (thrown as { code?: unknown } | null)?.code === tooLargeCode
}

/** Below this length a loop is faster than the call. */
const loopBytesMax = 32

/**
 * Copies `length` bytes within `bytes` from `distance` back to `at`. If the spans overlap the bytes repeat, as LZ4 and
 * Snappy define it.
 */
export function copyMatch(bytes: Buffer, at: number, distance: number, length: number): void {
  if (length > loopBytesMax && distance >= length) {
    bytes.copyWithin(at, at - distance, at - distance + length)
    return
  }
  for (const end = at + length; at < end; at++) bytes[at] = bytes[at - distance]!
}

/** Copies `length` bytes of `source` from `start` to `target` at `at`. */
export function copyLiteral(source: Buffer, start: number, target: Buffer, at: number, length: number): void {
  if (length > loopBytesMax) {
    source.copy(target, at, start, start + length)
    return
  }
  for (const end = start + length; start < end;) target[at++] = source[start++]!
}
