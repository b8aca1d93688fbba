/**
 * Turns of walks in a thread that answers: one chunk at a time, in order of arrival. After a chunk the thread answers
 * others for twice as long as the chunk took, or until nothing else is to be done: walks take at most half of a busy
 * thread. A bounded number of answers is in progress, since each may hold as much memory as an answer may have.
 */
import { setImmediate } from 'node:timers/promises'
import { LatchkeyError } from '../errors.ts'

/** Answers in progress; the others wait. */
const runningMax = 4
const waitingMax = 1_000
/** A turn of the loop that takes less had nothing to do, in milliseconds. */
const idleTurnMs = 0.05
/** Time of others for each millisecond of a chunk. Above one, because lookups beside walks cost more than alone. */
const restFactor = 2

export class WalkTurns {
  #running = 0
  /** In order. */
  readonly #waiting = new Set<() => void>()
  /** Chunks to read, one after the other. */
  #last: Promise<unknown> = Promise.resolve()
  #chunks = 0

  /**
   * Makes an answer, as soon as few enough others are in progress.
   *
   * @param signal aborts when the answer is not needed
   * @throws LatchkeyError walks_exhausted if too many wait; what the signal aborts with; as a rejection
   */
  async answer<T>(make: () => Promise<T>, signal: AbortSignal): Promise<T> {
    if (this.#running >= runningMax) {
      if (this.#waiting.size >= waitingMax) throw exhausted()
      await this.#untilFew(signal)
    } else this.#running++
    try {
      return await make()
    } finally {
      const [next] = this.#waiting
      if (next === undefined) this.#running--
      else next()
    }
  }

  /**
   * Reads a chunk when it is its turn: at once if no other walk is in progress.
   *
   * @param signal aborts when the chunk is not needed
   * @throws what the signal aborts with, as a rejection
   */
  async chunk<T>(read: () => T | Promise<T>, signal: AbortSignal): Promise<T> {
    const before = this.#chunks++ > 0 ? this.#last : undefined
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#last = promise
    if (before !== undefined) await before
    const end = () => {
      this.#chunks--
      resolve()
    }
    if (signal.aborted) end()
    signal.throwIfAborted()
    const from = performance.now()
    try {
      return await read()
    } finally {
      void this.#rest(from).then(end)
    }
  }

  #untilFew(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting.delete(enter)
        reject(signal.reason as Error)
      }
      const enter = () => {
        this.#waiting.delete(enter)
        signal.removeEventListener('abort', leave)
        resolve()
      }
      this.#waiting.add(enter)
      signal.addEventListener('abort', leave)
    })
  }

  /** @param chunkFrom when the chunk began */
  async #rest(chunkFrom: number): Promise<void> {
    // What was read is sent by then, which takes time, too.
    await setImmediate()
    const from = performance.now()
    const ms = restFactor * (from - chunkFrom)
    for (let before = from; ;) {
      await setImmediate()
      const now = performance.now()
      if (now - from >= ms || now - before < idleTurnMs) return
      before = now
    }
  }
}

function exhausted(): LatchkeyError {
  const found = `${waitingMax} others wait already; ask again later`
  return new LatchkeyError('walks_exhausted', `Walking the store: ${found}`)
}
