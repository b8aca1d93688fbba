/**
 * Decides which records fit the changelog's size limit: uncompressed, or compressed in their own batch, as they may
 * have been in the source.
 */
import {
  batchBytesOfOne,
  batchHeaderBytes,
  hardMaxBytes,
  type HeaderBlock,
  type RecordBatchReader,
  recordOverheadBytesMax,
} from '../../kafka/record-batch/index.ts'
import { noIdentity } from '../../kafka/transactional-id.ts'
import type { ChangelogLimits } from '../../topics/changelog-topic.ts'
import type { BatchPool, ChangelogBatch } from './changelog-batch.ts'

export class SizeLimit {
  readonly #maxMessageBytes: number
  readonly #compressibleBytesMax: number
  readonly #pool: BatchPool

  /** @param compressibleBytesMax maximum size of a record that is compressed to fit */
  constructor({ maxMessageBytes }: ChangelogLimits, pool: BatchPool, compressibleBytesMax = hardMaxBytes) {
    this.#maxMessageBytes = Math.min(maxMessageBytes, hardMaxBytes)
    this.#compressibleBytesMax = compressibleBytesMax
    this.#pool = pool
  }

  /**
   * Whether a record is too large without compression.
   * @param valueLength in bytes, -1 for null
   */
  isExceeded(keyLength: number, valueLength: number, headers: HeaderBlock | undefined): boolean {
    const headersLength = headers === undefined ? 0 : headers.length
    return (
      keyLength + valueLength + headersLength + recordOverheadBytesMax + batchHeaderBytes > this.#maxMessageBytes &&
      batchBytesOfOne(keyLength, valueLength, true, headers) > this.#maxMessageBytes
    )
  }

  /** Whether a record is too large even to try compression. */
  isHopeless(keyLength: number, valueLength: number, headers: HeaderBlock | undefined): boolean {
    return batchBytesOfOne(keyLength, valueLength, true, headers) > this.#compressibleBytesMax
  }

  /**
   * Returns the record at which `batch` is positioned in its own compressed batch; undefined if that is still too
   * large.
   * @param source buffer with the key and the value to store
   */
  compressed(
    batch: RecordBatchReader,
    source: Buffer,
    keyStart: number,
    valueStart: number,
    valueLength: number,
    timestamp: number,
    headers: HeaderBlock | undefined,
  ): ChangelogBatch | undefined {
    const { keyLength, offset } = batch
    if (this.isHopeless(keyLength, valueLength, headers)) return undefined
    const alone = this.#pool.acquireCompressed()
    alone.builder.append(source, keyStart, keyLength, valueStart, valueLength, timestamp, offset, headers)
    alone.coverTo(offset + 1)
    return alone.seal({ ...noIdentity, baseSequence: -1 }).length > this.#maxMessageBytes ? undefined : alone
  }

  /** Returns what is wrong with a record that is too large; follows "record skipped, " in the log. */
  fault(keyLength: number, valueLength: number, headers: HeaderBlock | undefined): string {
    const bytes = keyLength + valueLength + (headers?.length ?? 0)
    const what = headers === undefined ? 'key and value' : 'key, value and kept headers'
    if (this.isHopeless(keyLength, valueLength, headers)) {
      return `with ${what} of ${bytes} bytes it exceeds the ${this.#compressibleBytesMax} bytes that can be stored at most`
    }
    const limit = `the changelog's max.message.bytes=${this.#maxMessageBytes}`
    return `with ${what} of ${bytes} bytes it exceeds ${limit}, even compressed by itself`
  }
}
