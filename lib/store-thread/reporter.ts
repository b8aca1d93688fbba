/** Periodic reports of the store thread: figures of the map, trouble with Kafka, a sample key. */
import { formatTroubles } from '../format/troubles.ts'
import type { ChiralMap } from '../map/index.ts'
import type { Stats } from '../store-protocol/stats.ts'
import type { FromThread } from '../store-protocol/thread-messages.ts'
import { type Clients, partitionTroublesOf, troubleOf } from '../topics/clients.ts'

const intervalMs = 500

export class Reporter {
  readonly #clients: Clients
  readonly #post: (message: FromThread) => void
  readonly #timer: ReturnType<typeof setInterval>
  #stats: Stats | undefined
  #map: ChiralMap | undefined
  #hasSample = false
  #trouble: string | undefined
  /** Failures of the clients that are already in the counters. */
  #counted = { fetch: 0, changelog: 0 }

  constructor(clients: Clients, post: (message: FromThread) => void) {
    this.#clients = clients
    this.#post = post
    this.#timer = setInterval(() => this.#report(), intervalMs)
  }

  /**
   * Starts to report.
   * @param map undefined without a map (USE_PROCESSING_ONLY)
   */
  watch(stats: Stats, map: ChiralMap | undefined): void {
    this.#stats = stats
    this.#map = map
  }

  /** Called after every publish. */
  published(): void {
    this.reportMap()
    if (this.#hasSample || this.#map === undefined) return
    const stats = this.#stats!
    for (const partition of stats.partitions) {
      // Looking for a key in empty tables takes long, and a store may have no entries for days.
      if (stats.gauge(partition, 'entries') === 0) continue
      const key = this.#map.keys(partition).next().value
      if (key === undefined) continue
      this.#hasSample = true
      this.#post({ type: 'sample', key })
      return
    }
  }

  reportMap(): void {
    if (this.#map === undefined) return
    const stats = this.#stats!
    for (const partition of stats.partitions) {
      const { entries, liveBytes, totalBytes, indexBytes } = this.#map.stats(partition)
      stats.setGauge(partition, 'entries', entries)
      stats.setGauge(partition, 'liveBytes', liveBytes)
      stats.setGauge(partition, 'totalBytes', totalBytes)
      stats.setGauge(partition, 'indexBytes', indexBytes)
    }
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #report(): void {
    this.reportMap()
    this.#countFailures()
    const trouble = [troubleOf(this.#clients) ?? [], formatTroubles()].flat().join(' · ') || undefined
    if (trouble !== this.#trouble) {
      const partitions = partitionTroublesOf(this.#clients)
      this.#post({ type: 'trouble', trouble: trouble ?? null, partitions })
    }
    this.#trouble = trouble
  }

  /** Counts failures of whole requests. Refusals of single changelog batches are counted where they are handled. */
  #countFailures(): void {
    const { consumer, producer, changelog, replicas } = this.#clients
    const fetch = consumer.health.failures + changelog.health.failures + replicas.health.failures
    const now = { fetch, changelog: producer.health.failures }
    this.#stats?.add('fetchFailures', now.fetch - this.#counted.fetch)
    this.#stats?.add('changelogFailures', now.changelog - this.#counted.changelog)
    if (this.#stats !== undefined) this.#counted = now
  }
}
