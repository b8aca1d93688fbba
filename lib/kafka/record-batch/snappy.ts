/**
 * Decodes Snappy as Kafka's producers write it: a raw block (librdkafka and most others), or the framing of xerial's
 * snappy-java (Java clients). Like snappy-java it reads several framed streams in a row, and ignores trailing bytes
 * that are shorter than a chunk length. The usual JavaScript decoder accepts a block that ends before its declared
 * length (the rest is zeros), and copies byte by byte; this one does not.
 * Sources: https://github.com/google/snappy/blob/main/format_description.txt; org.xerial.snappy.SnappyOutputStream.
 */
import { copyLiteral, copyMatch, type OutputBuffer } from './output-buffer.ts'

const xerialMagic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0])
const xerialHeaderBytes = 16 // magic, version, lowest compatible version
const chunkLengthBytes = 4

/** Decompresses into `output`. Returns the number of bytes. Throws an Error that says what is wrong with `source`. */
export function decompressSnappy(source: Buffer, output: OutputBuffer): number {
  if (!isXerialHeader(source, 0)) return decompressBlock(source, 0, source.length, output, 0)
  let length = 0
  for (const chunk of xerialChunks(source)) length = decompressBlock(source, chunk.start, chunk.end, output, length)
  return length
}

/** Like decompressSnappy, one chunk at a time. A raw block is one piece. Each piece is valid until the next one. */
export function* snappyPieces(source: Buffer, output: OutputBuffer): Generator<Buffer> {
  const chunks = isXerialHeader(source, 0) ? xerialChunks(source) : [{ start: 0, end: source.length }]
  for (const { start, end } of chunks) {
    const length = decompressBlock(source, start, end, output, 0)
    yield output.bytes.subarray(0, length)
  }
}

interface Chunk {
  start: number
  end: number
}

function* xerialChunks(source: Buffer): Generator<Chunk> {
  let at = xerialHeaderBytes
  while (source.length - at >= chunkLengthBytes) {
    if (isXerialHeader(source, at)) {
      at += xerialHeaderBytes
      continue
    }
    const chunkBytes = source.readInt32BE(at)
    at += chunkLengthBytes
    if (chunkBytes <= 0 || chunkBytes > source.length - at) {
      throw new Error(`a Snappy chunk says ${chunkBytes} bytes with ${source.length - at} left`)
    }
    yield { start: at, end: at + chunkBytes }
    at += chunkBytes
  }
}

function isXerialHeader(source: Buffer, at: number): boolean {
  if (source.length - at < xerialHeaderBytes) return false
  return source.compare(xerialMagic, 0, xerialMagic.length, at, at + xerialMagic.length) === 0
}

/** Decompresses the raw block `source[at, end)` into `output` at `begin`. Returns the end. */
function decompressBlock(source: Buffer, at: number, end: number, output: OutputBuffer, begin: number): number {
  let declared = 0
  for (let shift = 0; ; shift += 7) {
    if (shift > 28 || at >= end) throw new Error('a Snappy block has no readable length')
    const byte = source[at++]!
    declared += (byte & 127) * 2 ** shift
    if (byte < 128) break
  }
  // An element of 3 bytes decompresses to at most 64. A block that declares more is malformed, so no memory is
  // reserved for it.
  if (declared > (end - at) * 22) {
    throw new Error(`a Snappy block of ${end - at} bytes says it decompresses to ${declared}`)
  }
  const limit = begin + declared
  output.reserve(limit, begin)
  const target = output.bytes
  let out = begin
  while (at < end) {
    const tag = source[at++]!
    const kind = tag & 3
    let length = (tag >>> 2) + 1
    if (kind === 0) {
      if (length > 60) {
        const extra = length - 60
        if (extra > end - at) throw new Error('a Snappy literal length is cut off')
        length = source.readUIntLE(at, extra) + 1
        at += extra
      }
      if (length > end - at || length > limit - out) throw new Error(`a Snappy literal of ${length} bytes does not fit`)
      copyLiteral(source, at, target, out, length)
      at += length
    } else {
      let distance = 0
      if (kind === 1) {
        length = ((tag >>> 2) & 7) + 4
        distance = ((tag >>> 5) << 8) | source[at]!
        at += 1
      } else if (kind === 2) {
        distance = source[at]! | (source[at + 1]! << 8)
        at += 2
      } else {
        distance = (source[at]! | (source[at + 1]! << 8) | (source[at + 2]! << 16) | (source[at + 3]! << 24)) >>> 0
        at += 4
      }
      if (at > end || distance === 0 || distance > out - begin || length > limit - out) {
        throw new Error(`a Snappy copy of ${length} bytes from ${distance} back does not fit`)
      }
      copyMatch(target, out, distance, length)
    }
    out += length
  }
  if (out !== limit) throw new Error(`a Snappy block says ${declared} bytes and has ${out - begin}`)
  return out
}
