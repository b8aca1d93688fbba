/**
 * Headers of source records that are stored with the value, as KEEP_HEADERS says. In the changelog they are headers of
 * the record, in addition to our own; in memory they precede the value. Works on bytes in place with reused buffers: no
 * object is made per record.
 */
import { HeaderBlock, HeaderCursor, type RecordBatchReader, reservedHeaders } from '../kafka/record-batch/index.ts'
import type { ChiralMap } from '../map/index.ts'
import { headerLengthBytes } from './header-prefix.ts'
import type { StoreConfig } from './store-config.ts'

export { reservedHeaders }

/**
 * Maximum size of the kept headers of one record, names and values together, as encoded. A header is meant for a trace
 * id, not for a document.
 */
export const keptHeaderBytesMax = 8_192
/** Maximum size of a buffer that is kept for reuse. The buffer joins headers and value. */
const roomBytesMax = 4 << 20

interface Pattern {
  /** The name, or its beginning. */
  bytes: Buffer
  isPrefix: boolean
}

type KeepConfig = Pick<StoreConfig, 'keepHeaders'>

/** Returns whether values in memory begin with a header prefix: see header-prefix.ts. */
export function hasHeaderPrefix({ keepHeaders = [] }: KeepConfig): boolean {
  return keepHeaders.length > 0
}

/** Returns undefined if no headers are kept. */
export function headerSelectorOf(config: KeepConfig): HeaderSelector | undefined {
  return hasHeaderPrefix(config) ? new HeaderSelector(config.keepHeaders!) : undefined
}

/** Selects the headers of a record that KEEP_HEADERS names. */
export class HeaderSelector {
  /** Number of headers of the last record that did not fit. */
  omitted = 0
  readonly #patterns: readonly Pattern[]
  readonly #cursor = new HeaderCursor()
  readonly #kept = new HeaderBlock(keptHeaderBytesMax)
  #entry = Buffer.alloc(keptHeaderBytesMax)

  /** @param names as in KEEP_HEADERS: a `*` at the end matches any end */
  constructor(names: readonly string[]) {
    this.#patterns = names.map((name) => {
      const isPrefix = name.endsWith('*')
      return { bytes: Buffer.from(isPrefix ? name.slice(0, -1) : name), isPrefix }
    })
  }

  /** Selects the headers of the current record of `batch`. The result is valid until the next call. */
  select(batch: RecordBatchReader): HeaderBlock {
    const kept = this.#kept
    kept.clear()
    this.omitted = 0
    if (batch.headerCount === 0) return kept
    const { data, headersStart, headersEnd } = batch
    const cursor = this.#cursor
    cursor.open(data, headersStart, headersEnd)
    while (cursor.next()) {
      if (!this.#matches(data, cursor.nameStart, cursor.nameEnd)) continue
      if (kept.length + cursor.end - cursor.start > keptHeaderBytesMax) this.omitted++
      else kept.copy(data, cursor.start, cursor.end, 1)
    }
    return kept
  }

  /** Puts the current record of `batch` into the map, its headers before its value. */
  put(map: ChiralMap, partition: number, batch: RecordBatchReader, sourceOffset: number): void {
    const { data, keyStart, keyLength, valueStart, valueLength, timestamp } = batch
    if (valueLength < 0) {
      map.put(partition, data, keyStart, keyLength, valueStart, valueLength, sourceOffset, timestamp)
      return
    }
    const headers = this.select(batch)
    const prefixed = headerLengthBytes + headers.length + valueLength
    const entry = this.#room(keyLength + prefixed)
    data.copy(entry, 0, keyStart, keyStart + keyLength)
    let at = entry.writeUInt32BE(headers.length, keyLength)
    headers.bytes.copy(entry, at, 0, headers.length)
    at += headers.length
    data.copy(entry, at, valueStart, valueStart + valueLength)
    map.put(partition, entry, 0, keyLength, keyLength, prefixed, sourceOffset, timestamp)
  }

  #room(bytes: number): Buffer {
    if (bytes <= this.#entry.length) return this.#entry
    const larger = Buffer.alloc(2 * bytes)
    if (larger.length <= roomBytesMax) this.#entry = larger
    return larger
  }

  #matches(data: Buffer, start: number, end: number): boolean {
    for (const { bytes, isPrefix } of this.#patterns) {
      if (isPrefix ? end - start < bytes.length : end - start !== bytes.length) continue
      if (data.compare(bytes, 0, bytes.length, start, start + bytes.length) !== 0) continue
      return end - start !== 3 || !reservedHeaders.has(data.toString('latin1', start, end))
    }
    return false
  }
}
