/**
 * Bounds the bytes that are encoded and not acknowledged: above the bound nothing more is decoded. A partition whose
 * changelog acknowledges nothing keeps its share, is not fetched, and is excluded from the sum, so that the other
 * partitions continue.
 */

export const backlogBytesMax = 32 << 20
/** Bound that includes the excluded partitions. They may stop one after the other, each with a whole backlog. */
export const totalBytesMax = 3 * backlogBytesMax
/** A partition with waiting bytes is paused after this time without an acknowledgement. */
const stillMs = 1_000
const lookMs = 250

interface Waiting {
  bytes: number
  /** When bytes were settled last, or when the first bytes were added. */
  movedAt: number
  isPaused: boolean
}

export class Backlog {
  readonly #paused: (partition: number, isPaused: boolean) => void
  readonly #partitions: () => number
  readonly #now: () => number
  readonly #waiting = new Map<number, Waiting>()
  readonly #timer: ReturnType<typeof setInterval>
  #bytes = 0
  #pausedBytes = 0
  #waiter: PromiseWithResolvers<void> | undefined

  /**
   * @param partitions returns the number of partitions that share the bound now
   * @param paused called when fetching of a partition is to be paused or resumed
   */
  constructor(
    partitions: () => number,
    paused: (partition: number, isPaused: boolean) => void,
    now = () => performance.now(),
  ) {
    this.#paused = paused
    this.#partitions = partitions
    this.#now = now
    this.#timer = setInterval(() => this.look(), lookMs)
    this.#timer.unref()
  }

  get bytes(): number {
    return this.#bytes
  }

  get #shareBytes(): number {
    return backlogBytesMax / Math.max(this.#partitions(), 1)
  }

  /** @param bytes negative for settled bytes */
  add(partition: number, bytes: number): void {
    if (bytes === 0) return
    const share = this.#waiting.get(partition) ?? { bytes: 0, movedAt: this.#now(), isPaused: false }
    this.#waiting.set(partition, share)
    share.bytes += bytes
    this.#bytes += bytes
    if (share.isPaused) this.#pausedBytes += bytes
    if (bytes < 0) share.movedAt = this.#now()
    if (share.isPaused && share.bytes < this.#shareBytes) this.#pause(partition, share, false)
    if (share.bytes <= 0) this.#waiting.delete(partition)
    this.#admit()
  }

  /** Returns a promise that resolves when there is room; undefined if there is room. */
  room(): Promise<void> | undefined {
    if (!this.#isFull) return undefined
    this.#waiter ??= Promise.withResolvers<void>()
    return this.#waiter.promise
  }

  /** Pauses the partitions whose changelog acknowledges nothing. */
  look(): void {
    const now = this.#now()
    for (const [partition, share] of this.#waiting) {
      const isStill = now - share.movedAt >= stillMs && share.bytes >= this.#shareBytes
      if (isStill && !share.isPaused) this.#pause(partition, share, true)
    }
    this.#admit()
  }

  /** Stops the timer and resolves a pending room(). */
  stop(): void {
    clearInterval(this.#timer)
    this.#waiter?.resolve()
  }

  get #isFull(): boolean {
    return this.#bytes - this.#pausedBytes >= backlogBytesMax || this.#bytes >= totalBytesMax
  }

  #pause(partition: number, share: Waiting, isPaused: boolean): void {
    share.isPaused = isPaused
    this.#pausedBytes += isPaused ? share.bytes : -share.bytes
    this.#paused(partition, isPaused)
  }

  #admit(): void {
    if (this.#isFull) return
    this.#waiter?.resolve()
    this.#waiter = undefined
  }
}
