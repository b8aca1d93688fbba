/**
 * Encodes LZ4 frames as Kafka's clients read them: independent blocks of 64 KiB, no checksums except that of the header
 * (the record batch has its own). It finds matches greedily with one hash table, as `lz4` does at its fastest level.
 * Other implementations of LZ4 for JavaScript are either native or return wrong data.
 * Sources: https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md, lz4_Block_format.md
 */
import { copyLiteral } from './output-buffer.ts'

const blockBytes = 1 << 16
const frameHeader = frameHeaderOf()
const hashBits = 14
const matchBytesMin = 4
/** The last match begins at least this far before the end of a block. The last bytes are literals. */
const matchMargin = 12
const lastLiterals = 5
const uncompressedBit = 0x80

// Position of the last occurrence of each hash, from the start of the block, plus one. Cleared for each block.
const table = new Int32Array(1 << hashBits)

/** Returns the maximum size of `bytes` after compression. */
export function lz4BytesMax(bytes: number): number {
  return frameHeader.length + bytes + Math.ceil(bytes / blockBytes) * 4 + 4
}

/** Compresses `source[start, end)` into `target` at `at`, which needs room for `lz4BytesMax` bytes. Returns the end. */
export function compressLz4(source: Buffer, start: number, end: number, target: Buffer, at: number): number {
  target.set(frameHeader, at)
  let out = at + frameHeader.length
  for (let from = start; from < end; from += blockBytes) {
    const to = Math.min(from + blockBytes, end)
    const written = compressBlock(source, from, to, target, out + 4)
    const length = written < 0 ? to - from : written - out - 4
    if (written < 0) source.copy(target, out + 4, from, to)
    target.writeUInt32LE(length, out)
    if (written < 0) target[out + 3]! |= uncompressedBit
    out += 4 + length
  }
  return target.writeUInt32LE(0, out)
}

/** Returns the end of the block in `target`, or -1 if the block is not smaller than its source. */
function compressBlock(source: Buffer, start: number, end: number, target: Buffer, begin: number): number {
  table.fill(0)
  const limit = begin + (end - start) - 1
  let out = begin
  let anchor = start
  let at = start
  const matchLimit = end - matchMargin
  let misses = 1 << 6
  while (at < matchLimit) {
    const word = source[at]! | (source[at + 1]! << 8) | (source[at + 2]! << 16) | (source[at + 3]! << 24)
    const hash = Math.imul(word, 0x9e3779b1) >>> (32 - hashBits)
    const found = table[hash]! + start - 1
    table[hash] = at - start + 1
    if (found < start || !sameWord(source, found, word)) {
      at += misses++ >>> 6
      continue
    }
    misses = 1 << 6
    let length = matchBytesMin
    const lengthMax = end - lastLiterals - at
    while (length < lengthMax && source[found + length] === source[at + length]) length++
    out = writeSequence(source, anchor, at, target, out, limit, at - found, length)
    if (out < 0) return -1
    at += length
    anchor = at
  }
  return writeSequence(source, anchor, end, target, out, limit, 0, 0)
}

function sameWord(source: Buffer, at: number, word: number): boolean {
  return (source[at]! | (source[at + 1]! << 8) | (source[at + 2]! << 16) | (source[at + 3]! << 24)) === word
}

/**
 * Writes the literals `source[from, to)`, then a match of `length` bytes at `distance` back, or no match for length 0.
 * Returns -1 if that does not fit.
 */
function writeSequence(
  source: Buffer,
  from: number,
  to: number,
  target: Buffer,
  begin: number,
  limit: number,
  distance: number,
  length: number,
): number {
  const literals = to - from
  const more = length - matchBytesMin
  if (begin + 1 + literals + Math.ceil(literals / 255) + 2 + Math.ceil(length / 255) > limit) return -1
  let out = begin + 1
  target[begin] = (Math.min(literals, 15) << 4) | (length === 0 ? 0 : Math.min(more, 15))
  if (literals >= 15) out = writeLength(target, out, literals - 15)
  copyLiteral(source, from, target, out, literals)
  out += literals
  if (length === 0) return out
  target[out++] = distance & 255
  target[out++] = distance >>> 8
  return more >= 15 ? writeLength(target, out, more - 15) : out
}

function writeLength(target: Buffer, begin: number, length: number): number {
  let out = begin
  let rest = length
  for (; rest >= 255; rest -= 255) target[out++] = 255
  target[out++] = rest
  return out
}

/** Version 1, independent blocks, no checksums, no content size, blocks of at most 64 KiB. */
function frameHeaderOf(): Buffer {
  const header = Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0])
  header[6] = (Bun.hash.xxHash32(header.subarray(4, 6)) >>> 8) & 255
  return header
}
