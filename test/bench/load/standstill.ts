/**
 * When the machine itself stood still: a guest whose host gives its processors to others is held up for tens of milliseconds, and everything in it with
 * it. On each processor a thread of real-time priority asks for it once a millisecond; a wait of even that thread is not caused by this program.
 */
import { availableParallelism } from 'node:os'
import { join } from 'node:path'

export const periodMs = 1
/** What is shorter is a timer's lateness. */
export const shortestMs = 1
export const intervalsMax = 10_000

export interface StandstillShare {
  processor: number
  /** Anything but 0 ends it; then how many intervals there are. */
  control: Int32Array
  /** Begin and end, in milliseconds since 1970. */
  intervals: Float64Array
}

export class Standstill {
  readonly #shares: readonly StandstillShare[]

  private constructor(shares: readonly StandstillShare[]) {
    this.#shares = shares
  }

  /** @returns undefined where this process may have no thread of real-time priority */
  static async watch(): Promise<Standstill | undefined> {
    const shares = Array.from({ length: availableParallelism() }, (_, processor) => ({
      processor,
      control: new Int32Array(new SharedArrayBuffer(8)),
      intervals: new Float64Array(new SharedArrayBuffer(16 * intervalsMax)),
    }))
    const standstill = new Standstill(shares)
    const watching = await Promise.all(shares.map(start))
    if (watching.every(Boolean)) return standstill
    standstill.end()
    return undefined
  }

  /** Milliseconds of the time between two moments in which one processor or another stood still. Moments are those of performance.now(). */
  within(from: number, to: number): number {
    return covered(this.#all(), performance.timeOrigin + from, performance.timeOrigin + to)
  }

  /** Milliseconds. */
  get longest(): number {
    return Math.max(0, ...this.#all().map(([first, last]) => last - first))
  }

  end(): void {
    for (const { control } of this.#shares) {
      Atomics.store(control, 0, 1)
      Atomics.notify(control, 0)
    }
  }

  #all(): Interval[] {
    return this.#shares.flatMap(({ control, intervals }) =>
      Array.from({ length: Atomics.load(control, 1) }, (_, at): Interval => [
        intervals[2 * at] ?? 0,
        intervals[2 * at + 1] ?? 0,
      ]),
    )
  }
}

/** Begin and end. */
type Interval = readonly [number, number]

/** How much of the time between two moments lies in any of the intervals, which may overlap. */
export function covered(intervals: readonly Interval[], begin: number, end: number): number {
  let sum = 0
  let until = begin
  for (const [first, last] of intervals.toSorted(([one], [other]) => one - other)) {
    const from = Math.max(first, until)
    const to = Math.min(last, end)
    if (from >= to) continue
    sum += to - from
    until = to
  }
  return sum
}

async function start(share: StandstillShare): Promise<boolean> {
  const worker = new Worker(join(import.meta.dir, 'standstill-thread.ts'))
  const answered = Promise.withResolvers<boolean>()
  worker.onmessage = ({ data }: MessageEvent<boolean>) => answered.resolve(data)
  worker.onerror = ({ message }) => answered.reject(new Error(message))
  worker.postMessage(share)
  return answered.promise
}
