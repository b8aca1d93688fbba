/**
 * The push queues of a thread: a bound on what waits in all of them, and their turn to send. What is added is sent
 * after the turn, so several changes are one write; with thousands of clients other work gets its turn between them.
 */
import { allQueuesBytesMax, sendsPerTurn } from './push-limits.ts'

/** A queue, as its thread sees it. */
export interface CountedQueue {
  /** Memory of what waits. */
  readonly bytes: number
  send(): void
  /** Too much waits in all queues, and most of it here. */
  overflow(): void
}

export class PushQueues {
  readonly #touched = new Set<CountedQueue>()
  /** Those in which something waits. */
  readonly #filled = new Set<CountedQueue>()
  #bytes = 0
  #isScheduled = false

  /** Memory of what waits in all queues. */
  get bytes(): number {
    return this.#bytes
  }

  /** Something was added to a queue, or taken from it. */
  changed(queue: CountedQueue, bytes: number): void {
    this.#bytes += bytes
    if (queue.bytes === 0) this.#filled.delete(queue)
    else this.#filled.add(queue)
    while (this.#bytes > allQueuesBytesMax) this.#largest()!.overflow()
  }

  /** Sends what a queue has after this turn. */
  schedule(queue: CountedQueue): void {
    this.#touched.add(queue)
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => this.#send())
  }

  #send(): void {
    this.#isScheduled = false
    let left = sendsPerTurn
    for (const queue of this.#touched) {
      if (left-- === 0) break
      this.#touched.delete(queue)
      queue.send()
    }
    const [next] = this.#touched
    if (next !== undefined) this.schedule(next)
  }

  #largest(): CountedQueue | undefined {
    let largest: CountedQueue | undefined
    for (const queue of this.#filled) if (queue.bytes > (largest?.bytes ?? 0)) largest = queue
    return largest
  }
}
