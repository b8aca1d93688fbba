/** Time that passes only from event to event. Events of one moment come in the order in which they were planned. */

interface Planned {
  atMs: number
  order: number
  run: () => void
}

export class SimulatedClock {
  nowMs = 0
  #order = 0
  /** A binary heap: the next event is the first. */
  readonly #heap: Planned[] = []

  after(ms: number, run: () => void): void {
    const planned = { atMs: this.nowMs + ms, order: this.#order++, run }
    const heap = this.#heap
    let at = heap.push(planned) - 1
    for (let parent = (at - 1) >> 1; at > 0 && isBefore(planned, heap[parent]!); parent = (at - 1) >> 1) {
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = planned
  }

  /** Runs the next event. @returns false if there is none before a time */
  step(untilMs: number): boolean {
    const [first] = this.#heap
    if (first === undefined || first.atMs > untilMs) return false
    this.#removeFirst()
    this.nowMs = first.atMs
    first.run()
    return true
  }

  #removeFirst(): void {
    const heap = this.#heap
    const last = heap.pop()!
    if (heap.length === 0) return
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++
      if (!isBefore(heap[child]!, last)) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = last
  }
}

function isBefore(one: Planned, other: Planned): boolean {
  return one.atMs === other.atMs ? one.order < other.order : one.atMs < other.atMs
}
