/**
 * Bound on the bytes of responses that the clients of a thread have not taken. Without it, a client that sends requests
 * and does not read would hold a whole response for as long as a connection may be idle. A slow reader is closed; other
 * clients never wait for room. There are two bounds, because many fast clients may request large values at the same
 * time: beyond the first bound, only clients that take nothing are closed.
 */
import { loggerOf, RepeatedLog } from '../../log/index.ts'

const mebibyte = 1_048_576

export interface HeldAnswersOptions {
  /** Beyond this, clients that have taken nothing for `stalledTicks` are closed. */
  bytesMax: number
  /** Beyond this, clients are closed at once. A single response may be larger. */
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
  /** Tick at which the client last took bytes. */
  readonly tick: number
}

const repeatedLog = new RepeatedLog(loggerOf('http'))

export class HeldAnswers {
  readonly #options: HeldAnswersOptions
  /** In order: clients that have taken nothing for longest come first. */
  readonly #shares = new Map<Holder, Share>()
  #bytes = 0
  #ticks = 0

  constructor(options: HeldAnswersOptions = defaults) {
    this.#options = options
  }

  get bytes(): number {
    return this.#bytes
  }

  /**
   * Sets the memory that a client's responses hold. A call does not mean that the client has taken something: its time
   * without progress continues, unless it held nothing before.
   *
   * @param bytes of memory
   */
  hold(holder: Holder, bytes: number): void {
    const share = this.#shares.get(holder) ?? { bytes: 0, tick: this.#ticks }
    this.#bytes += bytes - share.bytes
    share.bytes = bytes
    this.#shares.set(holder, share)
    this.#cutLongest()
  }

  /** The client holds nothing more. */
  release(holder: Holder): void {
    this.#bytes -= this.#shares.get(holder)?.bytes ?? 0
    this.#shares.delete(holder)
  }

  /** To be called once a second. */
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
