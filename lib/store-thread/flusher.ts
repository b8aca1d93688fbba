/**
 * Publishes what was put into the map: after a number of operations, after a time, soon if few records arrive, and on
 * request. One publish runs at a time.
 */
import { isDebug, isTrace, loggerOf } from '../log/index.ts'
import type { ChiralMap } from '../map/index.ts'
import type { Stats } from '../store-protocol/stats.ts'
import { nounFor } from '../text/counted.ts'

/**
 * Maximum of entry bytes that wait for a publish. The values that they replace stay in memory until then, independent
 * of AUTO_FLUSH_COUNT.
 */
const waitingBytesMax = 256 << 20
/** Operations that may wait for a publish beyond AUTO_FLUSH_COUNT before ingest pauses. */
const slackMax = 1_000_000
/**
 * Minimum time between two flushes if few records arrive. A publish of few operations takes about 50 microseconds, so
 * this costs at most 1 % of a core.
 */
const apartMs = 5

const log = loggerOf('store')

export interface FlusherOptions {
  count: number
  seconds: number
  /** Publish soon while fewer than `count` operations arrive, without waiting for `count` or `seconds`. */
  whenIdle?: boolean
  /** Called after every publish. Without operations, one may have opened partitions, or removed them. */
  published?: () => void
  /** Called with the error of a publish in the background: memory is exhausted, or there is a defect. */
  failed: (error: unknown) => void
}

/** Follows publishes, whether or not they make operations visible. */
export interface PublishWatch {
  /** Called when a publish begins. It makes visible what is in the map now. */
  began(): void
  ended(operations: number): void
}

export class Flusher {
  readonly #map: ChiralMap
  readonly #stats: Stats
  readonly #count: number
  readonly #published: () => void
  readonly #failed: (error: unknown) => void
  readonly #timer: ReturnType<typeof setInterval>
  readonly #whenIdle: boolean
  /** Cancels the scheduled early flush; undefined if none is scheduled. */
  #cancelSoon: (() => void) | undefined
  /** When the last publish ended (performance.now()). */
  #publishedAt = Number.NEGATIVE_INFINITY
  #publishing: Promise<void> | undefined
  /** The publish that the callers of flush() wait for, while it has not begun. */
  #next: Promise<number> | undefined
  #watch: PublishWatch | undefined

  constructor(map: ChiralMap, stats: Stats, options: FlusherOptions) {
    this.#map = map
    this.#stats = stats
    this.#count = options.count
    this.#published = options.published ?? (() => {})
    this.#failed = options.failed
    this.#whenIdle = options.whenIdle ?? false
    this.#timer = setInterval(() => this.#inBackground(1), options.seconds * 1000)
  }

  /** To be called before the first publish. */
  watchBy(watch: PublishWatch): void {
    this.#watch = watch
  }

  /** To be called after operations were put into the map. */
  wrote(): void {
    this.#stats.set('oplogLength', this.#map.oplogLength)
    this.#inBackground(this.#map.oplogBytes < waitingBytesMax ? this.#count : 1)
    this.#flushSoon()
  }

  /** To be called when positions have advanced, perhaps without operations. */
  progressed(): void {
    if (this.#publishing !== undefined || this.#map.oplogLength > 0) return
    this.#watch?.began()
    this.#watch?.ended(0)
  }

  /**
   * Returns a promise that resolves when the running publish ends, if ingest is too far ahead of it; undefined if there
   * is room.
   */
  room(): Promise<void> | undefined {
    const { oplogLength, oplogBytes } = this.#map
    return oplogLength < this.#count + slackMax && oplogBytes < 2 * waitingBytesMax ? undefined : this.#publishing
  }

  /** Makes everything visible that was put before the call. Calls that wait for the same publish share the next one. */
  async flush(): Promise<void> {
    const start = performance.now()
    const operations = await (this.#publishing === undefined ? this.#publish() : (this.#next ??= this.#publishNext()))
    if (!isDebug()) return
    const ms = Math.round(performance.now() - start)
    log.debug('Flushed {operations} operations in {ms} ms', { operations, ms })
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#cancelSoon?.()
  }

  /**
   * Schedules an early flush: at once after a pause, so that a single record is not delayed, otherwise apartMs after
   * the last publish. If a publish is running, it schedules the flush when it ends.
   */
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
      // Waits for the other partitions that the same response acknowledges. A timer would take at least a millisecond.
      const immediate = setImmediate(flush)
      this.#cancelSoon = () => clearImmediate(immediate)
    }
  }

  #inBackground(operationsMin: number): void {
    if (this.#publishing !== undefined || this.#map.oplogLength < operationsMin) return
    this.#publish().then(() => this.#inBackground(this.#count), this.#failed)
  }

  async #publishNext(): Promise<number> {
    while (this.#publishing !== undefined) await this.#publishing
    this.#next = undefined
    return this.#publish()
  }

  /** @returns the number of operations that became visible */
  async #publish(): Promise<number> {
    const start = performance.now()
    this.#watch?.began()
    const publishing = this.#map.publish()
    this.#publishing = publishing.then(
      () => {},
      () => {},
    )
    let operations: number
    try {
      operations = await publishing
      this.#stats.add('operationsPublished', operations)
      this.#stats.add('flushes', 1)
      const ms = performance.now() - start
      this.#stats.add('flushSeconds', ms / 1000)
      if (isTrace()) {
        const noun = nounFor(operations, 'operation')
        log.trace(`Published {operations} ${noun} in {ms} ms`, { operations, ms: Math.round(ms * 100) / 100 })
      }
      this.#stats.set('oplogLength', this.#map.oplogLength)
      this.#watch?.ended(operations)
      this.#published()
    } finally {
      this.#publishing = undefined
      this.#publishedAt = performance.now()
    }
    this.progressed()
    this.#flushSoon()
    return operations
  }
}
