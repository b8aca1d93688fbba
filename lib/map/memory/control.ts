/**
 * The control words: the number of exchanges of the sides, whose parity is the published side, and for each reader an
 * epoch that is odd while the reader is inside.
 *
 * Only these words are accessed with Atomics, which are sequentially consistent. All other accesses to shared memory
 * are plain, and these words order them (see DESIGN.md, The races). Every word has its own cache line.
 */
import { LatchkeyError } from '../../errors.ts'
import {
  epochAsyncSleepMs,
  epochBlockingSleepMs,
  epochBlockingSleeps,
  epochSpins,
  readersLeaveMaxMs,
} from './limits.ts'
import type { Side } from './map-messages.ts'

/** A cache line of 64 bytes, in words. */
const wordsPerLine = 16
const exchangesWord = 0
/** The word that the writer sleeps on. Never written. */
const sleepWord = wordsPerLine
const firstEpochWord = 2 * wordsPerLine

export function createControl(epochs: number): SharedArrayBuffer {
  return new SharedArrayBuffer((firstEpochWord + epochs * wordsPerLine) * Int32Array.BYTES_PER_ELEMENT)
}

export function epochWord(epoch: number): number {
  return firstEpochWord + epoch * wordsPerLine
}

/** Returns the number of exchanges modulo 2^32, as a signed integer. */
export function loadExchanges(control: Int32Array): number {
  return Atomics.load(control, exchangesWord)
}

/** Publishes the side that belongs to this number of exchanges. */
export function storeExchanges(control: Int32Array, exchanges: number): void {
  Atomics.store(control, exchangesWord, exchanges)
}

/** Returns the side that is published after this number of exchanges. */
export function publishedSide(exchanges: number): Side {
  return (exchanges & 1) as Side
}

/**
 * Resolves when every reader that was inside at the call has left. A reader that enters later sees the side published
 * before the call. Blocks the thread for up to a millisecond, because a lookup is short; then sleeps without blocking.
 * Rejects with flush_timed_out after readersLeaveMaxMs. The caller can repeat the call.
 */
export async function awaitReaders(control: Int32Array): Promise<void> {
  const inside: number[] = []
  for (let word = firstEpochWord; word < control.length; word += wordsPerLine) {
    const epoch = Atomics.load(control, word)
    if ((epoch & 1) === 1) inside.push(word, epoch)
  }
  for (let i = 0; i < epochSpins; i++) if (allLeft(control, inside)) return
  for (let i = 0; i < epochBlockingSleeps; i++) {
    Atomics.wait(control, sleepWord, 0, epochBlockingSleepMs)
    if (allLeft(control, inside)) return
  }
  const deadline = performance.now() + readersLeaveMaxMs
  while (performance.now() < deadline) {
    await Bun.sleep(epochAsyncSleepMs)
    if (allLeft(control, inside)) return
  }
  throw new LatchkeyError(
    'flush_timed_out',
    `publish: a reader has been inside for ${readersLeaveMaxMs} ms; its thread hangs or has died`,
  )
}

function allLeft(control: Int32Array, inside: readonly number[]): boolean {
  for (let i = 0; i < inside.length; i += 2) if (Atomics.load(control, inside[i]!) === inside[i + 1]) return false
  return true
}
