/**
 * Bound on the bytes of responses that the clients of a thread have not taken. Without it, a client that sends requests
 * and does not read would hold a whole response for as long as a connection may be idle. A slow reader is closed; other
 * clients never wait for room. There are two bounds, because many fast clients may request large values at the same
 * time: beyond the first bound, only clients that take nothing are closed. Clients that have taken nothing at all of
 * their response are closed first, so those that do not read do not displace those that read slowly.
 */
import { loggerOf, RepeatedLog } from '../../log/index.ts'

const mebibyte = 1_048_576

export interface HeldAnswersOptions {
  /** Beyond this, clients that have taken nothing for `stalledTicks` are closed. */
  bytesMax: number
  /** Beyond this, clients are closed at once. A single response may be larger. */
  burstBytesMax: number
  stalledTicks: number
  /** What is logged when a connection is closed. */
  logged?: string
}

const defaults: HeldAnswersOptions = { bytesMax: 64 * mebibyte, burstBytesMax: 128 * mebibyte, stalledTicks: 5 }
const loggedDefault =
  'Answering: {mebibytes} MiB wait for clients that do not take them; closed the connection that took nothing for longest'

/** A client's connection. */
export interface Holder {
  terminate(): unknown
}

interface Share {
  bytes: number
  /** Tick at which the client last took bytes, or at which its response began. */
  readonly tick: number
}

const repeatedLog = new RepeatedLog(loggerOf('http'))

export class HeldAnswers {
  readonly #options: HeldAnswersOptions
  /** Clients that have taken nothing of their response, the first one first. */
  readonly #untouched = new Map<Holder, Share>()
  /** The others; those that have taken nothing for longest come first. */
  readonly #begun = new Map<Holder, Share>()
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
    const known = this.#shareOf(holder)
    const share = known ?? { bytes: 0, tick: this.#ticks }
    this.#bytes += bytes - share.bytes
    share.bytes = bytes
    if (known === undefined) this.#untouched.set(holder, share)
    this.#cutLongest(known === undefined ? holder : undefined)
  }

  /** The client has taken some of its responses. A call of hold() or release() has to follow. */
  took(holder: Holder): void {
    if (this.#shareOf(holder) === undefined) return
    this.release(holder)
    this.#begun.set(holder, { bytes: 0, tick: this.#ticks })
  }

  /** The client holds nothing more. */
  release(holder: Holder): void {
    this.#bytes -= this.#shareOf(holder)?.bytes ?? 0
    this.#untouched.delete(holder)
    this.#begun.delete(holder)
  }

  /** To be called once a second. */
  tick(): void {
    this.#ticks++
    for (const shares of [this.#untouched, this.#begun]) this.#cutStalled(shares)
  }

  #shareOf(holder: Holder): Share | undefined {
    return this.#untouched.get(holder) ?? this.#begun.get(holder)
  }

  #cutStalled(shares: ReadonlyMap<Holder, Share>): void {
    const { bytesMax, stalledTicks } = this.#options
    for (const [holder, { tick }] of shares) {
      if (this.#bytes <= bytesMax || this.#ticks - tick < stalledTicks) return
      this.#destroy(holder)
    }
  }

  /** @param latest a client whose response has just begun, and which had no time to take anything */
  #cutLongest(latest: Holder | undefined): void {
    for (const shares of [this.#untouched, this.#begun]) {
      for (const holder of shares.keys()) {
        if (this.#bytes <= this.#options.burstBytesMax || this.#untouched.size + this.#begun.size === 1) return
        if (holder !== latest) this.#destroy(holder)
      }
    }
  }

  #destroy(holder: Holder): void {
    const mebibytes = Math.round(this.#bytes / mebibyte)
    this.release(holder)
    holder.terminate()
    const { logged = loggedDefault } = this.#options
    repeatedLog.log('warning', logged, logged, { mebibytes })
  }
}
