/** Which records the changelog takes for their size: as they are, or compressed in a batch of their own, as their source may have held them. */
import { noIdentity } from '../../kafka/transactional-id.ts'
import {
  batchBytesOfOne,
  hardMaxBytes,
  type HeaderBlock,
  type RecordBatchReader,
  recordOverheadBytesMax,
} from '../../kafka/record-batch/index.ts'
import { type ChangelogLimits } from '../../topics/changelog-topic.ts'
import { type BatchPool, type ChangelogBatch } from './changelog-batch.ts'

const batchHeaderBytes = 61

export class SizeLimit {
  readonly #maxMessageBytes: number
  readonly #compressibleBytesMax: number
  readonly #pool: BatchPool

  /** @param compressibleBytesMax the largest record that is compressed to fit */
  constructor({ maxMessageBytes }: ChangelogLimits, pool: BatchPool, compressibleBytesMax = hardMaxBytes) {
    this.#maxMessageBytes = Math.min(maxMessageBytes, hardMaxBytes)
    this.#compressibleBytesMax = compressibleBytesMax
    this.#pool = pool
  }

  /** Whether a record is too large as it is. @param valueLength bytes, -1 null */
  isExceeded(keyLength: number, valueLength: number, headers: HeaderBlock | undefined): boolean {
    const headersLength = headers === undefined ? 0 : headers.length
    return (
      keyLength + valueLength + headersLength + recordOverheadBytesMax + batchHeaderBytes > this.#maxMessageBytes &&
      batchBytesOfOne(keyLength, valueLength, true, headers) > this.#maxMessageBytes
    )
  }

  /** Whether compression is not even tried. */
  isHopeless(keyLength: number, valueLength: number, headers: HeaderBlock | undefined): boolean {
    return batchBytesOfOne(keyLength, valueLength, true, headers) > this.#compressibleBytesMax
  }

  /**
   * The record that `batch` stands at, compressed in a batch of its own; undefined where that is too large, too.
   * @param source has the key and the value that are to be stored
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
    const alone = this.#pool.takeCompressed()
    alone.builder.append(source, keyStart, keyLength, valueStart, valueLength, timestamp, offset, headers)
    alone.nextSource = offset + 1
    return alone.seal({ ...noIdentity, baseSequence: -1 }).length > this.#maxMessageBytes ? undefined : alone
  }

  /** What is wrong with a record that cannot be stored, to be read after "record skipped, ". */
  fault(keyLength: number, valueLength: number, headers: HeaderBlock | undefined): string {
    const bytes = keyLength + valueLength + (headers?.length ?? 0)
    const what = headers === undefined ? 'key and value' : 'key, value and kept headers'
    if (this.isHopeless(keyLength, valueLength, headers)) {
      return `with ${what} of ${bytes} bytes it exceeds the ${this.#compressibleBytesMax} bytes that can be stored at most`
    }
    const limit = `the changelog's max.message.bytes=${this.#maxMessageBytes}`
    return `with ${what} of ${bytes} bytes it exceeds ${limit}, compressed by itself, too`
  }
}
