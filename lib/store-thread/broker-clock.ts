/**
 * A broker's clock. It is known from the moment at which a fence marker was read, whose timestamp is the broker's. The
 * marker is a little older than that moment, so the clock is slow, never fast.
 */
import { bootTimeMs } from '../linux/boot-time.ts'

export class BrokerClock {
  readonly #timestamp: number
  readonly #readAt = bootTimeMs()

  /** @param timestamp of the marker, which was read now */
  constructor(timestamp: number) {
    this.#timestamp = timestamp
  }

  /** Milliseconds since the epoch. */
  get now(): number {
    return this.#timestamp + bootTimeMs() - this.#readAt
  }
}
