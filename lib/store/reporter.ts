/** What the store thread tells on the side: the map's figures, trouble with Kafka, a key to try. */
import { type ChiralMap } from '../map/index.ts'
import { type Clients, troubleOf } from './clients.ts'
import { type FromThread } from './messages.ts'
import { type Stats } from './stats.ts'

const intervalMs = 500

export class Reporter {
  readonly #clients: Clients
  readonly #post: (message: FromThread) => void
  readonly #timer: ReturnType<typeof setInterval>
  #memory: { map: ChiralMap; stats: Stats } | undefined
  #hasSample = false
  #producerFailures = 0
  #trouble: string | undefined
  /** Failures of the clients that the counters have already. */
  #counted = { fetch: 0, changelog: 0 }

  constructor(clients: Clients, post: (message: FromThread) => void) {
    this.#clients = clients
    this.#post = post
    this.#timer = setInterval(() => this.#report(), intervalMs)
  }

  /** There is memory to report about from now on. */
  watch(map: ChiralMap, stats: Stats): void {
    this.#memory = { map, stats }
  }

  /** Something became visible. */
  published(): void {
    this.reportMap()
    if (this.#hasSample || this.#memory === undefined) return
    const { map, stats } = this.#memory
    for (const partition of stats.partitions) {
      const key = map.keys(partition).next().value
      if (key === undefined) continue
      this.#hasSample = true
      this.#post({ type: 'sample', key })
      return
    }
  }

  reportMap(): void {
    if (this.#memory === undefined) return
    const { map, stats } = this.#memory
    for (const partition of stats.partitions) {
      const { entries, liveBytes, totalBytes } = map.stats(partition)
      stats.setGauge(partition, 'entries', entries)
      stats.setGauge(partition, 'liveBytes', liveBytes)
      stats.setGauge(partition, 'totalBytes', totalBytes)
    }
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Failures of whole requests; what the changelog refused of a batch is counted where that is dealt with. */
  #reportFailures(): void {
    if (this.#memory === undefined) return
    const { stats } = this.#memory
    const { consumer, changelog, producer } = this.#clients
    stats.set('fetchFailures', consumer.health.failures + changelog.health.failures)
    stats.add('changelogFailures', producer.health.failures - this.#producerFailures)
    this.#producerFailures = producer.health.failures
  }

  #report(): void {
    this.reportMap()
    this.#reportFailures()
    this.#countFailures()
    const trouble = troubleOf(this.#clients)
    if (trouble !== this.#trouble) this.#post({ type: 'trouble', trouble: trouble ?? null })
    this.#trouble = trouble
  }

  #countFailures(): void {
    if (this.#memory === undefined) return
    const { consumer, producer, changelog } = this.#clients
    const now = { fetch: consumer.health.failures + changelog.health.failures, changelog: producer.health.failures }
    this.#memory.stats.add('fetchFailures', now.fetch - this.#counted.fetch)
    this.#memory.stats.add('changelogFailures', now.changelog - this.#counted.changelog)
    this.#counted = now
  }
}
