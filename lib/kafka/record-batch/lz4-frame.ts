/**
 * Decodes the LZ4 frame format: independent and linked blocks, optional content size, block and content checksums, no
 * dictionaries. Available decoders return wrong data for damaged input or take unbounded memory; this one checks every
 * length and block checksum. Like Kafka's Java client it ignores bytes after the frame, the content size and the
 * content checksum: the batch's CRC has already been checked, and data that a Java consumer reads must not be lost
 * here.
 * Source: https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md
 */
import { decompressLz4Block } from './lz4-block.ts'
import type { OutputBuffer } from './output-buffer.ts'

const frameMagic = 0x184d2204
const blockBytesMaxByCode: Readonly<Record<number, number>> = { 4: 1 << 16, 5: 1 << 18, 6: 1 << 20, 7: 1 << 22 }
const uncompressedBit = 0x8000_0000

interface FrameHeader {
  linkedBlocks: boolean
  blockChecksums: boolean
  blockBytesMax: number
  blocksAt: number
}

/** Maximum distance of a match. With linked blocks it may reach into the previous block. */
const windowBytes = 64 << 10

/** Decompresses one frame into `output`. Returns the number of bytes. Throws an Error that says what is wrong. */
export function decompressLz4Frame(source: Buffer, output: OutputBuffer): number {
  const header = readHeader(source)
  const block: Block = { at: header.blocksAt, length: 0 }
  while (nextBlock(source, header, output, block));
  return block.length
}

/** Like decompressLz4Frame, one block at a time. Each piece is valid until the next one. */
export function* lz4Pieces(source: Buffer, output: OutputBuffer): Generator<Buffer> {
  const header = readHeader(source)
  const block: Block = { at: header.blocksAt, length: 0 }
  for (let from = 0; nextBlock(source, header, output, block); from = block.length) {
    yield output.bytes.subarray(from, block.length)
    const kept = Math.min(windowBytes, block.length)
    output.bytes.copyWithin(0, block.length - kept, block.length)
    block.length = kept
  }
}

/** Start of the next block in the source, and of its content in the output. */
interface Block {
  at: number
  length: number
}

/** Decompresses the block at `block.at`, appends it to the output, advances `block`. Returns false at the end mark. */
function nextBlock(source: Buffer, header: FrameHeader, output: OutputBuffer, block: Block): boolean {
  const { at, length } = block
  const mark = readUInt32(source, at)
  if (mark === 0) return false
  const start = at + 4
  const blockBytes = mark & ~uncompressedBit
  if (blockBytes > header.blockBytesMax || blockBytes > source.length - start) {
    throw new Error(
      `an LZ4 block says ${blockBytes} bytes with ${source.length - start} left and at most ${header.blockBytesMax} allowed`,
    )
  }
  const end = start + blockBytes
  if (mark >= uncompressedBit) {
    output.reserve(length + blockBytes, length)
    source.copy(output.bytes, length, start, end)
    block.length = length + blockBytes
  } else {
    const linkedFrom = header.linkedBlocks ? 0 : length
    block.length = decompressLz4Block(source, start, end, output, linkedFrom, length, header.blockBytesMax)
  }
  if (header.blockChecksums) checkHash('block', readUInt32(source, end), source.subarray(start, end))
  block.at = header.blockChecksums ? end + 4 : end
  return true
}

function readHeader(source: Buffer): FrameHeader {
  const magic = readUInt32(source, 0)
  if (magic !== frameMagic) throw new Error(`an LZ4 frame begins with 0x${magic.toString(16)}`)
  if (source.length < 7) throw new Error('an LZ4 frame header is cut off')
  const flags = source[4]!
  const descriptor = source[5]!
  const blockBytesMax = blockBytesMaxByCode[descriptor >>> 4]
  if (flags >>> 6 !== 1 || (flags & 0x02) !== 0 || blockBytesMax === undefined || (descriptor & 0x0f) !== 0) {
    throw new Error(`an LZ4 frame header has flags 0x${flags.toString(16)} 0x${descriptor.toString(16)}`)
  }
  if (flags & 0x01) throw new Error('an LZ4 frame needs a dictionary')
  const hasContentSize = (flags & 0x08) !== 0
  const hashAt = hasContentSize ? 14 : 6
  if (source.length <= hashAt) throw new Error('an LZ4 frame header is cut off')
  const hash = (Bun.hash.xxHash32(source.subarray(4, hashAt)) >>> 8) & 255
  if (hash !== source[hashAt]) {
    throw new Error(
      `an LZ4 frame header has checksum 0x${source[hashAt]!.toString(16)}, computed is 0x${hash.toString(16)}`,
    )
  }
  return {
    linkedBlocks: (flags & 0x20) === 0,
    blockChecksums: (flags & 0x10) !== 0,
    blockBytesMax,
    blocksAt: hashAt + 1,
  }
}

function readUInt32(source: Buffer, at: number): number {
  if (source.length - at < 4) throw new Error(`an LZ4 frame is cut off at byte ${source.length}`)
  return source.readUInt32LE(at)
}

function checkHash(what: string, expected: number, bytes: Buffer): void {
  const found = Bun.hash.xxHash32(bytes)
  if (found !== expected) {
    throw new Error(`an LZ4 ${what} has checksum 0x${expected.toString(16)}, computed is 0x${found.toString(16)}`)
  }
}
