/**
 * Publishes what was put into the map: after so many operations, after so many seconds, soon where little comes, and when asked. One publish at
 * a time.
 */
import { type ChiralMap } from '../map/index.ts'
import { type Stats } from '../store-protocol/stats.ts'

/** Entry bytes that may await a publish: what they replace stays in memory until then, whatever the automatic flush's count. */
const waitingBytesMax = 256 << 20
/** Operations that may await a publish beyond the automatic flush's count before ingest pauses for it. */
const slackMax = 1_000_000
/** Between two flushes where little comes: a publish of few operations takes some 50 microseconds, so this costs a hundredth of a core at most. */
const apartMs = 5

export interface FlusherOptions {
  count: number
  seconds: number
  /** Not to wait for either while fewer operations come than `count`. */
  whenIdle?: boolean
  /** Takes what a publish on the way rejected with: memory is exhausted, or a defect. */
  failed: (error: unknown) => void
}

export class Flusher {
  readonly #map: ChiralMap
  readonly #stats: Stats
  readonly #count: number
  readonly #failed: (error: unknown) => void
  readonly #timer: ReturnType<typeof setInterval>
  readonly #whenIdle: boolean
  /** Ends the wait for a flush that is due soon; undefined while there is none. */
  #cancelSoon: (() => void) | undefined
  /** When the last publish ended. */
  #publishedAt = Number.NEGATIVE_INFINITY
  #publishing: Promise<void> | undefined
  /** Called after every publish that made something visible. */
  published: () => void = () => {}

  constructor(map: ChiralMap, stats: Stats, options: FlusherOptions) {
    this.#map = map
    this.#stats = stats
    this.#count = options.count
    this.#failed = options.failed
    this.#whenIdle = options.whenIdle ?? false
    this.#timer = setInterval(() => this.#inBackground(1), options.seconds * 1000)
  }

  /** To be called after operations were put. */
  wrote(): void {
    this.#stats.set('oplogLength', this.#map.oplogLength)
    this.#inBackground(this.#map.oplogBytes < waitingBytesMax ? this.#count : 1)
    this.#flushSoon()
  }

  /** Resolves when the publish that ingest has run ahead of is done; undefined while there is room. */
  room(): Promise<void> | undefined {
    const { oplogLength, oplogBytes } = this.#map
    return oplogLength < this.#count + slackMax && oplogBytes < 2 * waitingBytesMax ? undefined : this.#publishing
  }

  /** Makes visible everything put before the call. */
  async flush(): Promise<void> {
    while (this.#publishing !== undefined) await this.#publishing
    await this.#publish()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#cancelSoon?.()
  }

  /** At once after a pause, so that a single record is not kept back; else apartMs after the last one. A publish under way sees to it at its end. */
  #flushSoon(): void {
    if (!this.#whenIdle || this.#publishing !== undefined || this.#cancelSoon !== undefined) return
    if (this.#map.oplogLength === 0) return
    const flush = () => {
      this.#cancelSoon = undefined
      this.#inBackground(1)
    }
    const waitMs = this.#publishedAt + apartMs - performance.now()
    if (waitMs > 0) {
      const timer = setTimeout(flush, waitMs)
      this.#cancelSoon = () => clearTimeout(timer)
    } else {
      // Not before what the same response acknowledges for other partitions. A timer would take a millisecond at least.
      const immediate = setImmediate(flush)
      this.#cancelSoon = () => clearImmediate(immediate)
    }
  }

  #inBackground(operationsMin: number): void {
    if (this.#publishing !== undefined || this.#map.oplogLength < operationsMin) return
    this.#publish().then(() => this.#inBackground(this.#count), this.#failed)
  }

  async #publish(): Promise<void> {
    const start = performance.now()
    const publishing = this.#map.publish()
    this.#publishing = publishing.then(
      () => {},
      () => {},
    )
    try {
      const operations = await publishing
      this.#stats.add('operationsPublished', operations)
      this.#stats.add('flushes', 1)
      this.#stats.add('flushSeconds', (performance.now() - start) / 1000)
      this.#stats.set('oplogLength', this.#map.oplogLength)
      if (operations > 0) this.published()
    } finally {
      this.#publishing = undefined
      this.#publishedAt = performance.now()
    }
    this.#flushSoon()
  }
}
