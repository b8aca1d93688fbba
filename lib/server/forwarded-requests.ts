/**
 * Requests that are forwarded to Bun's server, by the local port of their tunnel, and a bound on the bytes of responses
 * that are on their way back. Bun's server holds a whole response until the tunnel has received it. Without the bound,
 * as many responses as there are tunnels could be made in one turn of the loop. A tunnel always receives, however slow
 * its client is, so room comes soon.
 */

const bytesMaxDefault = 16_777_216

interface ForwardedResponse {
  /** The client is on this machine. */
  readonly isLocal: boolean
  /** Bytes of its response that are on their way. */
  bytes: number
  /** Its response is made while it is sent; undefined for other responses. */
  stream?: { made: number; passed: number; wake: (() => void) | undefined }
}

/** Bytes of a stream that are on their way, beyond which no further piece is made. */
const streamBytesMax = 262_144
/** Streams at the same time. Each keeps a tunnel for as long as its client takes. */
const streamsMaxDefault = 16
/** Of each kind. They keep tunnels for as long as they take. */
const pendingMax = 16

/** Answers that take a while: to requests that wait for a change, and walks, which wait for each other. */
export type PendingKind = 'wait' | 'walk'

export class ForwardedRequests {
  readonly #bytesMax: number
  readonly #streamsMax: number
  #streams = 0
  readonly #pending: Record<PendingKind, number> = { wait: 0, walk: 0 }
  #bytes = 0
  readonly #tunnels = new Map<number, ForwardedResponse>()
  /** Requests that are not answered yet, at most one for each tunnel. */
  readonly #waiting: (() => void)[] = []

  /** @param bytesMax beyond it, no further response is made. A single response may be larger. */
  constructor(bytesMax = bytesMaxDefault, streamsMax = streamsMaxDefault) {
    this.#bytesMax = bytesMax
    this.#streamsMax = streamsMax
  }

  /** Number of tunnels. */
  get size(): number {
    return this.#tunnels.size
  }

  add(port: number, isLocal: boolean): void {
    this.#tunnels.set(port, { isLocal, bytes: 0 })
  }

  delete(port: number): void {
    this.received(port)
    if (this.#tunnels.get(port)?.stream !== undefined) this.#streams--
    this.#tunnels.delete(port)
  }

  /** Returns whether the client of a tunnel is on this machine; undefined if there is no such tunnel. */
  isLocal(port: number): boolean | undefined {
    return this.#tunnels.get(port)?.isLocal
  }

  /** Makes a response, as soon as there is room for it. */
  whenRoom(make: () => Response | Promise<Response>): Response | Promise<Response> {
    if (this.#hasRoom) return make()
    return new Promise((resolve) => this.#waiting.push(() => resolve(make())))
  }

  /** A response was made for a tunnel. */
  made(port: number, bytes: number): void {
    const tunnel = this.#tunnels.get(port)
    if (tunnel === undefined) return
    tunnel.bytes += bytes
    this.#bytes += bytes
  }

  /** A tunnel has received all of its response. */
  received(port: number): void {
    const tunnel = this.#tunnels.get(port)
    if (tunnel === undefined || tunnel.bytes === 0) return
    this.#bytes -= tunnel.bytes
    tunnel.bytes = 0
    while (this.#hasRoom && this.#waiting.length > 0) this.#waiting.shift()!()
  }

  /**
   * The response of a tunnel is made while it is sent.
   * @returns false if there are too many of them, or the tunnel is closed
   */
  beginStream(port: number): boolean {
    const tunnel = this.#tunnels.get(port)
    if (tunnel === undefined || this.#streams >= this.#streamsMax) return false
    this.#streams++
    tunnel.stream = { made: 0, passed: 0, wake: undefined }
    return true
  }

  /**
   * An answer takes a while.
   * @returns false if there are too many of its kind
   */
  hold(kind: PendingKind, answer: Promise<unknown>): boolean {
    if (this.#pending[kind] >= pendingMax) return false
    this.#pending[kind]++
    void answer.finally(() => this.#pending[kind]--)
    return true
  }

  /** A piece of a stream was made. */
  madePiece(port: number, bytes: number): void {
    const stream = this.#tunnels.get(port)?.stream
    if (stream !== undefined) stream.made += bytes
  }

  /** Whether the next piece of a stream may be made. If not, `wake` is called once it may be. */
  hasStreamRoom(port: number, wake: () => void): boolean {
    const stream = this.#tunnels.get(port)?.stream
    if (stream === undefined || stream.made - stream.passed <= streamBytesMax) return true
    stream.wake = wake
    return false
  }

  /** The client of a tunnel has taken so many more bytes. */
  passed(port: number, bytes: number): void {
    const stream = this.#tunnels.get(port)?.stream
    if (stream === undefined) return
    stream.passed += bytes
    const { wake } = stream
    stream.wake = undefined
    wake?.()
  }

  get #hasRoom(): boolean {
    return this.#bytes < this.#bytesMax
  }
}
