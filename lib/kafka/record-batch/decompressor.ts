import { zstdDecompressSync } from 'node:zlib'
import { gunzip } from './gzip.ts'
import { type Compression, compressionNames, maxDecompressedBytes } from './layout.ts'
import { decompressLz4Frame } from './lz4-frame.ts'
import { isTooLarge, OutputBuffer, tooLarge } from './output-buffer.ts'
import { decompressSnappy } from './snappy.ts'

/** Steps in which zlib grows its output. Larger steps gain nothing. */
const chunkBytes = 64 * 1024

/** Size up to which a decompressor keeps its buffer for the next batch. Fits the batches of typical producers. */
const keptBytesMax = 4 * 1024 * 1024

/** Decompresses the records of one batch at a time, up to `maxDecompressedBytes`. */
export class Decompressor {
  readonly #output = new OutputBuffer(maxDecompressedBytes, keptBytesMax)

  /**
   * Returns the decompressed bytes, valid until the next call. Throws an Error that says what was found. Truncated
   * Zstandard data is not detected here, because zlib returns what there is; the record count detects it.
   */
  decompress(compression: Compression, bytes: Buffer): Buffer {
    switch (compressionNames[compression]) {
      case 'none':
        return bytes
      case 'gzip':
        return gunzip(bytes, maxDecompressedBytes, chunkBytes)
      case 'snappy':
        return this.#into(decompressSnappy, bytes)
      case 'lz4':
        return this.#into(decompressLz4Frame, bytes)
      case 'zstd':
        return zstd(bytes)
    }
  }

  #into(decompress: (source: Buffer, output: OutputBuffer) => number, bytes: Buffer): Buffer {
    this.#output.reset()
    const length = decompress(bytes, this.#output)
    return this.#output.bytes.subarray(0, length)
  }
}

function zstd(bytes: Buffer): Buffer {
  try {
    return zstdDecompressSync(bytes, { maxOutputLength: maxDecompressedBytes, chunkSize: chunkBytes })
  } catch (cause) {
    throw isTooLarge(cause) ? tooLarge(maxDecompressedBytes) : cause
  }
}
