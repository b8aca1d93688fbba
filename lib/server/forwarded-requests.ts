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
}

export class ForwardedRequests {
  readonly #bytesMax: number
  #bytes = 0
  readonly #tunnels = new Map<number, ForwardedResponse>()
  /** Requests that are not answered yet, at most one for each tunnel. */
  readonly #waiting: (() => void)[] = []

  /** @param bytesMax beyond it, no further response is made. A single response may be larger. */
  constructor(bytesMax = bytesMaxDefault) {
    this.#bytesMax = bytesMax
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

  get #hasRoom(): boolean {
    return this.#bytes < this.#bytesMax
  }
}
