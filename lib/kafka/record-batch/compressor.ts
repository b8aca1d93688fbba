import { constants, gzipSync, zstdCompressSync } from 'node:zlib'
import { type Compression, compressionNames } from './layout.ts'
import { compressLz4, lz4BytesMax } from './lz4-encoder.ts'
import { compressSnappy, snappyBytesMax } from './snappy-encoder.ts'

export interface CompressionOptions {
  compression: Compression
  /** null for the codec's default level. lz4 and snappy have no level. */
  level: number | null
}

const plain: CompressionOptions = { compression: 0, level: null }

/** Compresses the records of one batch at a time, and copies the header in front of them. Reuses its buffer. */
export class Compressor {
  readonly compression: Compression
  readonly #level: number | null
  #target: Buffer = Buffer.alloc(0)

  constructor({ compression, level }: CompressionOptions = plain) {
    this.compression = compression
    this.#level = level
  }

  /**
   * Returns a batch with the first `headerBytes` of `batch` unchanged and the rest, up to `end`, compressed. Valid
   * until the next call. Returns undefined if that is not smaller.
   */
  compress(batch: Buffer, headerBytes: number, end: number): Buffer | undefined {
    const written = this.#into(batch, headerBytes, end)
    if (written >= end) return undefined
    batch.copy(this.#target, 0, 0, headerBytes)
    return this.#target.subarray(0, written)
  }

  /** Returns the end of the compressed bytes in the target. */
  #into(batch: Buffer, start: number, end: number): number {
    switch (compressionNames[this.compression]) {
      case 'none':
        return end
      case 'gzip':
        return this.#keep(
          gzipSync(batch.subarray(start, end), this.#level === null ? {} : { level: this.#level }),
          start,
        )
      case 'snappy':
        this.#reserve(start + snappyBytesMax(end - start))
        return compressSnappy(batch, start, end, this.#target, start)
      case 'lz4':
        this.#reserve(start + lz4BytesMax(end - start))
        return compressLz4(batch, start, end, this.#target, start)
      case 'zstd':
        return this.#keep(zstdCompressSync(batch.subarray(start, end), zstdOptions(this.#level)), start)
    }
  }

  #keep(compressed: Buffer, start: number): number {
    this.#reserve(start + compressed.length)
    compressed.copy(this.#target, start)
    return start + compressed.length
  }

  #reserve(bytes: number): void {
    if (this.#target.length < bytes) this.#target = Buffer.allocUnsafeSlow(bytes)
  }
}

/** Level 0 means the default level to Zstandard, but no compression to users of librdkafka. */
function zstdOptions(level: number | null) {
  return level === null ? {} : { params: { [constants.ZSTD_c_compressionLevel]: level } }
}
