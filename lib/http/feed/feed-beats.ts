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

  /** @returns a function that removes the stream; a second call has no effect */
  add(stream: Beating): () => void {
    const streams = this.#streams[this.#next]!
    this.#next = (this.#next + 1) % turns
    streams.add(stream)
    if (this.#size++ === 0) {
      this.#timer = setInterval(() => this.tick(), turnMs)
      this.#timer.unref()
    }
    return () => {
      if (streams.delete(stream) && --this.#size === 0) clearInterval(this.#timer)
    }
  }

  /** To be called once a second. */
  tick(): void {
    this.#turn = (this.#turn + 1) % turns
    for (const stream of this.#streams[this.#turn]!) stream.beat()
  }
}
