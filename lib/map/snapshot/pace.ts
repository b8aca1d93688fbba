/**
 * The pace at which a snapshot is written: short work and longer pauses, so that ingest and lookups find the processors free.
 * Writing 2 GiB may take seconds of processor time, most of it in the system, where niceness does little: a thread in a
 * call of the system gives the processor up late.
 */
import { hurried, paceWord, unhurried } from './snapshot-job.ts'

/** Bytes between two pauses: less than a millisecond of processor time. */
export const pieceBytes = 256 << 10
/** A pause is so many times the processor time of a piece. */
const pauseFactor = 7
/** Maximum of a pause, so that a thread that is to end does so soon. */
const pauseMsMax = 1_000

export class Pace {
  readonly #words: Int32Array
  readonly #processorMs: () => number
  /** Processor time at the end of the last pause. */
  #workedFrom: number
  #bytes = 0
  /** Processor time of the last piece. */
  #pieceMs = 0
  #pausedMs = 0

  /** @param state of the job */
  constructor(state: SharedArrayBuffer, processorMs = threadMs) {
    this.#words = new Int32Array(state)
    this.#processorMs = processorMs
    this.#workedFrom = processorMs()
  }

  /** Duration of all pauses. */
  get pausedMs(): number {
    return this.#pausedMs
  }

  /** Pauses if it is time. To be called after so many bytes were written. */
  wrote(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes < pieceBytes) return
    this.#bytes = 0
    const start = performance.now()
    // Returns at once if the job is hurried, and when it will be.
    Atomics.wait(this.#words, paceWord, unhurried, Math.min(this.#pieceMs * pauseFactor, pauseMsMax))
    this.#pausedMs += performance.now() - start
    // The system counts the time of a thread that runs in ticks of some milliseconds, and exactly when the thread waits.
    const worked = this.#processorMs()
    this.#pieceMs = worked - this.#workedFrom
    this.#workedFrom = worked
  }
}

/** Ends the pause of a job, and has it make no further ones. */
export function hurry(state: SharedArrayBuffer): void {
  const words = new Int32Array(state)
  Atomics.store(words, paceWord, hurried)
  Atomics.notify(words, paceWord)
}

/** Processor time of this thread. */
function threadMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1_000
}
