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
  #trouble: string | undefined

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

  #report(): void {
    this.reportMap()
    const trouble = troubleOf(this.#clients)
    if (trouble !== this.#trouble) this.#post({ type: 'trouble', trouble: trouble ?? null })
    this.#trouble = trouble
  }
}
