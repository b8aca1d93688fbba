/** See standstill.ts, which starts it: a thread that wants its processor every millisecond, before all others, and notes when it did not get it. */
import { ptr } from 'bun:ffi'
import { openLibc } from '../../../lib/linux/libc.ts'
import { intervalsMax, periodMs, shortestMs, type StandstillShare } from './standstill.ts'

/** Of Linux, sched(7). */
const schedulerFifo = 1
const priority = 50

declare const self: Worker

self.onmessage = ({ data }: MessageEvent<StandstillShare>) => {
  const { processor, control, intervals } = data
  const isPrecedent = takePrecedence(processor)
  self.postMessage(isPrecedent)
  if (isPrecedent) watch(control, intervals)
}

/** @returns whether this thread stays on the processor, and runs there as soon as it wants to; only root may ask for that */
function takePrecedence(processor: number): boolean {
  const libc = openLibc({
    sched_setaffinity: { args: ['i32', 'u64', 'ptr'], returns: 'i32' },
    sched_setscheduler: { args: ['i32', 'i32', 'ptr'], returns: 'i32' },
  })
  if (!libc) return false
  const mask = new Uint8Array(128)
  mask[processor >> 3] = 1 << (processor & 7)
  if (libc.sched_setaffinity(0, BigInt(mask.length), ptr(mask)) !== 0) return false
  return libc.sched_setscheduler(0, schedulerFifo, ptr(new Int32Array([priority]))) === 0
}

/** Without an allocation, so that it never waits for a collection. */
function watch(control: Int32Array, intervals: Float64Array): void {
  let count = 0
  let from = performance.now()
  while (Atomics.wait(control, 0, 0, periodMs) === 'timed-out') {
    const to = performance.now()
    if (to - from > periodMs + shortestMs && count < intervalsMax) {
      intervals[2 * count] = performance.timeOrigin + from + periodMs
      intervals[2 * count + 1] = performance.timeOrigin + to
      Atomics.store(control, 1, ++count)
    }
    from = performance.now()
  }
}
