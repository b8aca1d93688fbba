/** Selects the headers of source records to keep. Counts and logs headers that exceed the limit. */
import type { HeaderBlock, RecordBatchReader } from '../../kafka/record-batch/index.ts'
import { loggerOf, RepeatedLog } from '../../log/index.ts'
import { type HeaderSelector, headerSelectorOf, keptHeaderBytesMax } from '../../store-protocol/kept-headers.ts'
import type { Stats } from '../../store-protocol/stats.ts'
import type { StoreConfig } from '../../store-protocol/store-config.ts'

/** Returns undefined if no headers are kept. */
export function sourceHeadersOf(config: StoreConfig, stats: Stats): SourceHeaders | undefined {
  const headerSelector = headerSelectorOf(config)
  return headerSelector && new SourceHeaders(headerSelector, config.sourceTopic, stats)
}

export class SourceHeaders {
  readonly #headerSelector: HeaderSelector
  readonly #topic: string
  readonly #stats: Stats
  readonly #log = new RepeatedLog(loggerOf('ingest'))

  constructor(headerSelector: HeaderSelector, topic: string, stats: Stats) {
    this.#headerSelector = headerSelector
    this.#topic = topic
    this.#stats = stats
  }

  /**
   * Returns the kept headers of the record at which `batch` is positioned, valid until the next call; undefined if it
   * has none.
   */
  of(partition: number, batch: RecordBatchReader): HeaderBlock | undefined {
    const headers = this.#headerSelector.select(batch)
    const { omitted } = this.#headerSelector
    if (omitted > 0) {
      this.#stats.add('headersOmitted', omitted)
      const message =
        '{topic} partition {partition} offset {offset}: {omitted} of its headers are not kept, with the others they exceed {bytes} bytes'
      const properties = { topic: this.#topic, partition, offset: batch.offset, omitted, bytes: keptHeaderBytesMax }
      this.#log.log('warning', `headers ${partition}`, message, properties)
    }
    return headers.count === 0 ? undefined : headers
  }
}
