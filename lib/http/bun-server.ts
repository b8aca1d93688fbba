/**
 * Bun.serve, bounded, and with certificates that can be renewed. `server.reload` ignores `tls` without a word, so that a renewal is a second
 * server at the same port, which takes over: new connections go to it alone, those of the first one end with their next answer.
 */
import type { TlsPair } from '../config/tls-pair.ts'
import { loggerOf } from '../log.ts'
import type { Drainable } from './drain.ts'
import { type BunHandler, closing, requestBodyBytesMax } from './guard.ts'
import { problemResponse } from './problem.ts'
import { directNewConnections } from './sockets.ts'

/** After both, the connections of a server that was replaced have been answered or were idle for too long. */
const retirementSlackMs = 15_000

export interface BunServerOptions {
  /** A port, shared with others or not. */
  at: { hostname: string; port: number; isShared: boolean }
  /** Absent for plain HTTP. */
  tls?: TlsPair | undefined
  /** After which a connection that waits for its client is closed; Bun cuts headers that take longer than 10 s in any case. */
  idleTimeoutSeconds: number
  fetch: BunHandler
}

export class BunServer implements Drainable {
  readonly port: number
  readonly #options: BunServerOptions
  #server: Bun.Server<undefined>
  #isStopping = false
  #retiring: { server: Bun.Server<undefined>; timer: Timer } | undefined

  /** @throws what Bun.serve throws */
  constructor(options: BunServerOptions) {
    this.#options = options
    this.#server = Bun.serve(serveOptions(options))
    this.port = this.#server.port ?? 0
  }

  /**
   * New connections get this certificate. Those that are open keep the one before until their next answer, which asks the client to
   * connect anew; where two renewals follow each other within a minute, idle ones of the first server are closed.
   * @param isAlone nobody else listens at the port
   * @throws what Bun.serve throws, nothing being changed then
   */
  renewTls(tls: TlsPair, isAlone: boolean): void {
    if (this.#isStopping) return
    this.#endRetirement()
    const server = Bun.serve(serveOptions({ ...this.#options, tls }, this.port))
    const retired = this.#server
    this.#server = server
    // Among several threads the kernel shares them out: which socket is whose cannot be told.
    if (!isAlone || !directNewConnections(this.port, 1))
      loggerOf('http').debug('The kernel shares connections out between old and new certificate')
    this.#close(retired)
    const timer = setTimeout(() => this.#endRetirement(), this.#options.idleTimeoutSeconds * 1_000 + retirementSlackMs)
    timer.unref()
    this.#retiring = { server: retired, timer }
  }

  farewell(): void {
    this.#isStopping = true
    clearTimeout(this.#retiring?.timer)
    for (const server of this.#all) this.#close(server)
  }

  async stop(): Promise<void> {
    await Promise.all(this.#all.map((server) => server.stop()))
  }

  async cut(): Promise<void> {
    await Promise.all(this.#all.map((server) => server.stop(true)))
  }

  get #all(): Bun.Server<undefined>[] {
    return this.#retiring ? [this.#server, this.#retiring.server] : [this.#server]
  }

  /** The same answers, after each of which the connection ends. */
  #close(server: Bun.Server<undefined>): void {
    server.reload(serveOptions({ ...this.#options, fetch: closingAll(this.#options.fetch) }))
  }

  #endRetirement(): void {
    if (!this.#retiring) return
    clearTimeout(this.#retiring.timer)
    // Resolves once the last request under way is answered, for which nobody waits here.
    void this.#retiring.server.stop()
    this.#retiring = undefined
  }
}

function serveOptions({ at, tls, idleTimeoutSeconds, fetch }: BunServerOptions, portTaken?: number) {
  return {
    development: false as const,
    maxRequestBodySize: requestBodyBytesMax,
    idleTimeout: idleTimeoutSeconds,
    fetch,
    error: (thrown: unknown) => problemResponse(thrown),
    hostname: at.hostname,
    port: portTaken ?? at.port,
    // Without development Bun shares ports unless told not to: two stores at one port would answer by turns.
    reusePort: at.isShared,
    ...(tls && { tls: { cert: tls.cert, key: tls.key } }),
  }
}

function closingAll(fetch: BunHandler): BunHandler {
  return (request, server) => {
    const answer = fetch(request, server)
    return answer instanceof Promise ? answer.then(closing) : closing(answer)
  }
}
