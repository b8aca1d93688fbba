import { gzipSync, zstdCompressSync } from 'node:zlib'
import { lz4Compress, snappyCompress } from '@platformatic/wasm-utils/bundled'

/** Compressors of others, to be read by ours. `code`: the compression bits of a batch's attributes. */
export const compressors: readonly { name: string; code: number; compress: (bytes: Buffer) => Buffer }[] = [
  { name: 'gzip', code: 1, compress: (bytes) => gzipSync(bytes) },
  { name: 'snappy', code: 2, compress: (bytes) => snappyCompress(bytes) },
  { name: 'snappy in xerial framing', code: 2, compress: xerialSnappy },
  { name: 'lz4', code: 3, compress: (bytes) => lz4Compress(bytes) },
  { name: 'zstd', code: 4, compress: (bytes) => zstdCompressSync(bytes) },
]

const xerialChunkBytes = 32 * 1024

/** As org.xerial.snappy.SnappyOutputStream writes it. */
function xerialSnappy(bytes: Buffer): Buffer {
  const chunks: Buffer[] = []
  for (let at = 0; at < bytes.length; at += xerialChunkBytes) {
    chunks.push(snappyCompress(bytes.subarray(at, at + xerialChunkBytes)))
  }
  return xerialFrame(chunks)
}

export function xerialFrame(chunks: readonly Buffer[]): Buffer {
  const parts: Buffer[] = [Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1])]
  for (const chunk of chunks) {
    const length = Buffer.alloc(4)
    length.writeInt32BE(chunk.length)
    parts.push(length, chunk)
  }
  return Buffer.concat(parts)
}

export interface Lz4Frame {
  linked?: boolean
  blockChecksums?: boolean
  contentChecksum?: boolean
  contentBytes?: number
  dictionary?: boolean
  /** 4: 64 KiB … 7: 4 MiB */
  blockSizeCode?: number
  /** A block of compressed bytes, or one that is stored. */
  blocks: readonly { bytes: Buffer; stored?: boolean }[]
  /** What it decompresses to, for the content checksum. */
  content?: Buffer
}

/** An LZ4 frame with each of the format's options. */
export function lz4Frame(frame: Lz4Frame): Buffer {
  const flags =
    0x40 |
    (frame.linked ? 0 : 0x20) |
    (frame.blockChecksums ? 0x10 : 0) |
    (frame.contentBytes === undefined ? 0 : 0x08) |
    (frame.contentChecksum ? 0x04 : 0) |
    (frame.dictionary ? 0x01 : 0)
  const contentBytes = Buffer.alloc(frame.contentBytes === undefined ? 0 : 8)
  if (frame.contentBytes !== undefined) contentBytes.writeBigUInt64LE(BigInt(frame.contentBytes))
  const descriptor = Buffer.concat([
    Buffer.from([flags, (frame.blockSizeCode ?? 4) << 4]),
    contentBytes,
    Buffer.alloc(frame.dictionary ? 4 : 0),
  ])
  const parts = [uint32(0x184d2204), descriptor, Buffer.from([(Bun.hash.xxHash32(descriptor) >>> 8) & 255])]
  for (const { bytes, stored } of frame.blocks) {
    parts.push(uint32((bytes.length | (stored ? 0x8000_0000 : 0)) >>> 0), bytes)
    if (frame.blockChecksums) parts.push(uint32(Bun.hash.xxHash32(bytes)))
  }
  parts.push(uint32(0))
  if (frame.contentChecksum) parts.push(uint32(Bun.hash.xxHash32(frame.content ?? Buffer.alloc(0))))
  return Buffer.concat(parts)
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}
