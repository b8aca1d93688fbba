/**
 * What is encoded and not yet acknowledged: beyond a bound nothing more is decoded. A partition whose changelog takes nothing keeps its share of that and is not fetched;
 * it does not count then, so that the others go on.
 */

export const backlogBytesMax = 32 << 20
/** Of all, also of those that do not count: partitions may fall out one after the other, each with a whole backlog. */
export const totalBytesMax = 3 * backlogBytesMax
/** Nothing acknowledged for so long, although something waits: the partition stands still. */
const stillMs = 1_000
const lookMs = 250

interface Waiting {
  bytes: number
  /** When something was settled last, or the first bytes came. */
  movedAt: number
  isPaused: boolean
}

export class Backlog {
  /** Told when a partition is to be fetched no more, and when it is again. */
  paused: (partition: number, isPaused: boolean) => void = () => {}
  readonly #shareBytes: number
  readonly #now: () => number
  readonly #waiting = new Map<number, Waiting>()
  readonly #timer: ReturnType<typeof setInterval>
  #bytes = 0
  #pausedBytes = 0
  #waiter: PromiseWithResolvers<void> | undefined

  /** @param partitions that share it */
  constructor(partitions: number, now = () => performance.now()) {
    this.#shareBytes = backlogBytesMax / Math.max(partitions, 1)
    this.#now = now
    this.#timer = setInterval(() => this.look(), lookMs)
    this.#timer.unref()
  }

  /** @param bytes negative for what is settled */
  add(partition: number, bytes: number): void {
    if (bytes === 0) return
    const one = this.#waiting.get(partition) ?? { bytes: 0, movedAt: this.#now(), isPaused: false }
    this.#waiting.set(partition, one)
    one.bytes += bytes
    this.#bytes += bytes
    if (one.isPaused) this.#pausedBytes += bytes
    if (bytes < 0) one.movedAt = this.#now()
    if (one.isPaused && one.bytes < this.#shareBytes) this.#pause(partition, one, false)
    if (one.bytes <= 0) this.#waiting.delete(partition)
    this.#admit()
  }

  /** Resolves when there is room; undefined where there is. */
  room(): Promise<void> | undefined {
    if (!this.#isFull) return undefined
    this.#waiter ??= Promise.withResolvers<void>()
    return this.#waiter.promise
  }

  /** Finds the partitions that stand still. */
  look(): void {
    const now = this.#now()
    for (const [partition, one] of this.#waiting) {
      const isStill = now - one.movedAt >= stillMs && one.bytes >= this.#shareBytes
      if (isStill && !one.isPaused) this.#pause(partition, one, true)
    }
    this.#admit()
  }

  /** Whoever waits for room goes on. */
  stop(): void {
    clearInterval(this.#timer)
    this.#waiter?.resolve()
  }

  get #isFull(): boolean {
    return this.#bytes - this.#pausedBytes >= backlogBytesMax || this.#bytes >= totalBytesMax
  }

  #pause(partition: number, one: Waiting, isPaused: boolean): void {
    one.isPaused = isPaused
    this.#pausedBytes += isPaused ? one.bytes : -one.bytes
    this.paused(partition, isPaused)
  }

  #admit(): void {
    if (this.#isFull) return
    this.#waiter?.resolve()
    this.#waiter = undefined
  }
}
