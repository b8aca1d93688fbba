/** Keeps streams from being silent: one timer for all streams of a thread. Each gets its turn every five seconds. */

const turns = 5
const turnMs = 1_000

export interface Beating {
  beat(): void
}

export class FeedBeats {
  readonly #streams = Array.from({ length: turns }, () => new Set<Beating>())
  #turn = 0
  #next = 0
  #size = 0
  #timer: Timer | undefined

  add(stream: Beating): void {
    this.#streams[this.#next]!.add(stream)
    this.#next = (this.#next + 1) % turns
    if (this.#size++ > 0) return
    this.#timer = setInterval(() => this.tick(), turnMs)
    this.#timer.unref()
  }

  remove(stream: Beating): void {
    if (this.#streams.some((streams) => streams.delete(stream)) && --this.#size === 0) clearInterval(this.#timer)
  }

  /** To be called once a second. */
  tick(): void {
    this.#turn = (this.#turn + 1) % turns
    for (const stream of this.#streams[this.#turn]!) stream.beat()
  }
}
