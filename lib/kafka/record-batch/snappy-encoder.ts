/**
 * Encodes Snappy as one raw block, as librdkafka does. Every Kafka client reads it. It finds matches greedily with one
 * hash table, like the reference encoder.
 * Source: https://github.com/google/snappy/blob/main/format_description.txt
 */
import { copyLiteral } from './output-buffer.ts'

/** Matches are searched within pieces of this size, so every distance fits two bytes. */
const pieceBytes = 1 << 16
const hashBits = 14
const matchBytesMin = 4
const matchMargin = 15
const copyBytesMax = 64

const table = new Uint16Array(1 << hashBits)

/** Returns the maximum size of `bytes` after compression, as the reference encoder computes it. */
export function snappyBytesMax(bytes: number): number {
  return 32 + bytes + Math.ceil(bytes / 6)
}

/**
 * Compresses `source[start, end)` into `target` at `at`, which needs room for `snappyBytesMax` bytes. Returns the end.
 */
export function compressSnappy(source: Buffer, start: number, end: number, target: Buffer, at: number): number {
  let out = at
  let length = end - start
  for (; length > 127; length >>>= 7) target[out++] = (length & 127) | 128
  target[out++] = length
  for (let from = start; from < end; from += pieceBytes) {
    out = compressPiece(source, from, Math.min(from + pieceBytes, end), target, out)
  }
  return out
}

function compressPiece(source: Buffer, start: number, end: number, target: Buffer, begin: number): number {
  table.fill(0)
  let out = begin
  let anchor = start
  let at = start + 1
  let misses = 1 << 5
  const matchLimit = end - matchMargin
  while (at < matchLimit) {
    const word = source[at]! | (source[at + 1]! << 8) | (source[at + 2]! << 16) | (source[at + 3]! << 24)
    const hash = Math.imul(word, 0x1e35a7bd) >>> (32 - hashBits)
    const found = start + table[hash]!
    table[hash] = at - start
    if (!sameWord(source, found, word)) {
      at += misses++ >>> 5
      continue
    }
    misses = 1 << 5
    let length = matchBytesMin
    while (at + length < end && source[found + length] === source[at + length]) length++
    if (anchor < at) out = writeLiteral(source, anchor, at, target, out)
    out = writeCopies(target, out, at - found, length)
    at += length
    anchor = at
  }
  return anchor < end ? writeLiteral(source, anchor, end, target, out) : out
}

function sameWord(source: Buffer, at: number, word: number): boolean {
  return (source[at]! | (source[at + 1]! << 8) | (source[at + 2]! << 16) | (source[at + 3]! << 24)) === word
}

function writeLiteral(source: Buffer, from: number, to: number, target: Buffer, begin: number): number {
  const length = to - from
  const less = length - 1
  let out = begin
  if (less < 60) target[out++] = less << 2
  else if (less < 256) {
    target[out++] = 60 << 2
    target[out++] = less
  } else {
    target[out++] = 61 << 2
    target[out++] = less & 255
    target[out++] = less >>> 8
  }
  copyLiteral(source, from, target, out, length)
  return out + length
}

/** Writes copies with two-byte distances, each of 4 to 64 bytes. */
function writeCopies(target: Buffer, begin: number, distance: number, length: number): number {
  let out = begin
  let left = length
  while (left > 0) {
    let bytes = Math.min(left, copyBytesMax)
    if (left > copyBytesMax && left - bytes < matchBytesMin) bytes = left - matchBytesMin
    target[out++] = ((bytes - 1) << 2) | 2
    target[out++] = distance & 255
    target[out++] = distance >>> 8
    left -= bytes
  }
  return out
}
