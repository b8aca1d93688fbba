/** Says that the memory of a store thread is full: to the other threads, and in the log each minute. */
import { loggerOf } from '../../log/index.ts'
import type { ChiralMap } from '../../map/index.ts'
import type { Stats } from '../../store-protocol/stats.ts'
import type { StoreConfig } from '../../store-protocol/store-config.ts'
import type { FromThread } from '../../store-protocol/thread-messages.ts'
import { mebibytes } from '../../text/byte-size.ts'
import { advice, leaves } from '../../topics/memory-fit.ts'

const log = loggerOf('store')
const repeatMs = 60_000

export interface ReportInput {
  readonly config: StoreConfig
  readonly map: ChiralMap
  readonly stats: Stats
  readonly post: (message: FromThread) => void
}

export class FullReport {
  readonly #config: StoreConfig
  readonly #map: ChiralMap
  readonly #stats: Stats
  readonly #post: (message: FromThread) => void
  #timer: ReturnType<typeof setInterval> | undefined

  constructor({ config, map, stats, post }: ReportInput) {
    this.#config = config
    this.#map = map
    this.#stats = stats
    this.#post = post
  }

  begin(): void {
    this.#stats.set('full', 1)
    clearInterval(this.#timer)
    this.#timer = setInterval(() => this.#log(), repeatMs)
    this.#timer.unref()
    const { entries, bytes } = this.#held()
    const found = `memory is full: ${entries} entries of ${mebibytes(bytes)}, and ${leaves(this.#config)}`
    this.#post({ type: 'full', reason: `${found}. Nothing more is read until there is room` })
    this.#log()
  }

  end(): void {
    this.stop()
    this.#stats.set('full', 0)
    this.#post({ type: 'full' })
    log.info('Memory has room again: reading continues')
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #log(): void {
    const { entries, bytes, lag } = this.#held()
    const message =
      'Memory is full: {entries} entries of {size}, and {leaves}. Lookups continue, nothing more is read, and {lag} records wait. {advice}'
    const config = this.#config
    log.error(message, { entries, size: mebibytes(bytes), leaves: leaves(config), lag, advice: advice(config, bytes) })
  }

  #held(): { entries: number; bytes: number; lag: number } {
    const stats = this.#stats
    let [entries, bytes, lag] = [0, 0, 0]
    for (const partition of stats.partitions) {
      const held = this.#map.stats(partition)
      entries += held.entries
      bytes += held.liveBytes
      lag += Math.max(0, stats.gauge(partition, 'end') - Math.max(0, stats.gauge(partition, 'position')))
    }
    return { entries, bytes, lag }
  }
}
