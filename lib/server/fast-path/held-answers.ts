/**
 * What all clients of a lane have not taken of their answers, bounded: a client that asks and does not read would else hold a whole answer for as
 * long as a connection may be idle. A slow reader loses, never another client: nobody waits for room. Two bounds, since many quick clients may
 * ask for large values at the same time: only those that stand still count beyond the first.
 */
import { loggerOf, RepeatedLog } from '../../log/index.ts'

const mebibyte = 1_048_576

export interface HeldAnswersOptions {
  /** Beyond it, clients that have taken nothing for `stalledTicks` are closed. */
  bytesMax: number
  /** Beyond it, clients are closed at once; one answer alone may be larger. */
  burstBytesMax: number
  stalledTicks: number
}

const defaults: HeldAnswersOptions = { bytesMax: 64 * mebibyte, burstBytesMax: 128 * mebibyte, stalledTicks: 5 }

/** A client's socket. */
export interface Holder {
  terminate(): unknown
}

interface Share {
  bytes: number
  /** When it took some last. */
  readonly tick: number
}

const repeatedLog = new RepeatedLog(loggerOf('http'))

export class HeldAnswers {
  readonly #options: HeldAnswersOptions
  /** Those that have taken nothing for longest first. */
  readonly #shares = new Map<Holder, Share>()
  #bytes = 0
  #ticks = 0

  constructor(options: HeldAnswersOptions = defaults) {
    this.#options = options
  }

  get bytes(): number {
    return this.#bytes
  }

  /** @param bytes of memory that its answers hold from now on; it has taken nothing, unless there were none */
  hold(holder: Holder, bytes: number): void {
    const share = this.#shares.get(holder) ?? { bytes: 0, tick: this.#ticks }
    this.#bytes += bytes - share.bytes
    share.bytes = bytes
    this.#shares.set(holder, share)
    this.#cutLongest()
  }

  /** It holds nothing any more. */
  release(holder: Holder): void {
    this.#bytes -= this.#shares.get(holder)?.bytes ?? 0
    this.#shares.delete(holder)
  }

  /** Once a second. */
  tick(): void {
    this.#ticks++
    const { bytesMax, stalledTicks } = this.#options
    for (const [holder, { tick }] of this.#shares) {
      if (this.#bytes <= bytesMax || this.#ticks - tick < stalledTicks) return
      this.#cut(holder)
    }
  }

  #cutLongest(): void {
    for (const holder of this.#shares.keys()) {
      if (this.#bytes <= this.#options.burstBytesMax || this.#shares.size === 1) return
      this.#cut(holder)
    }
  }

  #cut(holder: Holder): void {
    const mebibytes = Math.round(this.#bytes / mebibyte)
    this.release(holder)
    holder.terminate()
    const told =
      'Answering: {mebibytes} MiB wait for clients that do not take them; closed the connection that took nothing for longest'
    repeatedLog.log('warning', 'held', told, { mebibytes })
  }
}
