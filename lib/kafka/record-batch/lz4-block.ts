import { copyLiteral, copyMatch, type OutputBuffer, tooLarge } from './output-buffer.ts'

const matchBytesMin = 4

/**
 * Decompresses the LZ4 block `source[at, end)` into `output` at `begin`, at most `bytesMax` bytes. Returns the end in
 * `output`. Throws an Error if the block is malformed.
 * Source: https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md
 * @param windowStart the first byte of `output` that a match may refer to: `begin` unless blocks are linked
 */
export function decompressLz4Block(
  source: Buffer,
  at: number,
  end: number,
  output: OutputBuffer,
  windowStart: number,
  begin: number,
  bytesMax: number,
): number {
  // A byte decompresses to at most 255. If the block cannot fill the whole block size, less memory is reserved.
  const limit = Math.min(begin + Math.min(bytesMax, (end - at) * 255), output.maxBytes)
  output.reserve(limit, begin)
  const target = output.bytes
  let out = begin
  while (at < end) {
    const token = source[at++]!
    let literalBytes = token >>> 4
    if (literalBytes === 15) {
      let more = 255
      while (more === 255 && at < end) literalBytes += more = source[at++]!
    }
    if (literalBytes > end - at || literalBytes > limit - out) throw doesNotFit('literal', literalBytes, limit, output)
    copyLiteral(source, at, target, out, literalBytes)
    at += literalBytes
    out += literalBytes
    if (at === end) return out // the last sequence is literals only

    if (end - at < 2) throw new Error('an LZ4 match is cut off')
    const distance = source[at]! | (source[at + 1]! << 8)
    at += 2
    let matchBytes = token & 15
    if (matchBytes === 15) {
      let more = 255
      while (more === 255 && at < end) matchBytes += more = source[at++]!
    }
    matchBytes += matchBytesMin
    if (distance === 0 || distance > out - windowStart) {
      throw new Error(`an LZ4 match goes ${distance} back, where ${out - windowStart} bytes are`)
    }
    if (matchBytes > limit - out) throw doesNotFit('match', matchBytes, limit, output)
    copyMatch(target, out, distance, matchBytes)
    out += matchBytes
  }
  throw new Error('an LZ4 block ends with a match')
}

function doesNotFit(what: string, bytes: number, limit: number, output: OutputBuffer): Error {
  if (limit === output.maxBytes) return tooLarge(limit)
  return new Error(`an LZ4 ${what} of ${bytes} bytes does not fit its block`)
}
