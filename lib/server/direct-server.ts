/**
 * Bun's server at the public port, for HTTP_FAST_PATH=false. `reload` does not change a certificate, so a renewal opens a
 * second server at the same port. The connections of the former one end with their next response.
 */
import type { TlsPair } from '../config/tls-pair.ts'
import { directNewConnections } from '../linux/sockets.ts'
import { BunServer, type BunServerAddress, type BunServerOptions } from './bun-server.ts'
import type { Drainable } from './drain.ts'

/** Beyond the idle timeout: by then, connections of a former server were answered or closed as idle. */
const formerSlackMs = 15_000
/** Time for a former server that still gets new connections, because the kernel distributes them. */
const formerSharedMs = 500

export interface DirectServerOptions extends BunServerOptions {
  at: BunServerAddress
  /** Other threads listen at the same port. */
  hasOtherThreads: boolean
}

export class DirectServer implements Drainable {
  readonly port: number
  readonly #options: DirectServerOptions
  #server: BunServer
  #former: { server: BunServer; timer: Timer } | undefined
  #isStopping = false

  /** @throws what Bun.serve throws */
  constructor(options: DirectServerOptions) {
    this.#options = options
    this.#server = new BunServer(options)
    this.port = this.#server.port
  }

  /**
   * Only with TLS: new connections get this certificate. Open connections keep theirs until their next response.
   * @throws what Bun.serve throws; then nothing has changed
   */
  renewTls(tls: TlsPair): void {
    const { at, hasOtherThreads, idleTimeoutSeconds } = this.#options
    if (this.#isStopping || this.#options.tls === undefined) return
    this.#endFormer()
    const former = this.#server
    this.#server = new BunServer({ ...this.#options, at: { ...at, port: this.port }, tls })
    former.announceClose()
    // With several threads it is not known which socket belongs to which thread.
    const isDirected = !hasOtherThreads && directNewConnections(this.port, 1)
    const formerMs = isDirected ? idleTimeoutSeconds * 1_000 + formerSlackMs : formerSharedMs
    const timer = setTimeout(() => this.#endFormer(), formerMs)
    timer.unref()
    this.#former = { server: former, timer }
  }

  announceCloseFor(seconds: number): void {
    this.#server.announceCloseFor(seconds)
  }

  announceClose(): void {
    this.#isStopping = true
    clearTimeout(this.#former?.timer)
    for (const server of this.#all) server.announceClose()
  }

  async stop(): Promise<void> {
    await Promise.all(this.#all.map((server) => server.stop()))
  }

  async destroy(): Promise<void> {
    await Promise.all(this.#all.map((server) => server.destroy()))
  }

  get #all(): BunServer[] {
    return this.#former ? [this.#server, this.#former.server] : [this.#server]
  }

  #endFormer(): void {
    clearTimeout(this.#former?.timer)
    // Requests in progress are still answered.
    void this.#former?.server.stop()
    this.#former = undefined
  }
}
