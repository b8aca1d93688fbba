/** Bun.serve with bounds: behind the fast path, at a port that only this machine can reach, or at the public port. */
import type { TlsPair } from '../config/tls-pair.ts'
import { bodyBytesMax } from '../http/key-list.ts'
import { problemResponse } from '../http/problem.ts'
import type { Drainable } from './drain.ts'
import { type BunHandler, closing } from './request-guard.ts'

/**
 * TCP, not a Unix socket: the buffers of a Unix socket are so small that Bun's server cuts pipelined requests short, and
 * its queue refuses connections beyond 512 at once.
 */
const internal: BunServerAddress = { bind: '127.0.0.1', port: 0, isShared: false }

export interface BunServerAddress {
  bind: string
  /** 0 selects a free port. */
  port: number
  /** Others listen at the same port, or will. */
  isShared: boolean
}

export interface BunServerOptions {
  /** Absent for an internal port. */
  at?: BunServerAddress | undefined
  /** Absent for plain HTTP. */
  tls?: TlsPair | undefined
  /**
   * Idle time after which a connection is closed. Bun closes connections whose headers take longer than 10 s in any
   * case.
   */
  idleTimeoutSeconds: number
  fetch: BunHandler
}

export class BunServer implements Drainable {
  readonly port: number
  readonly #options: BunServerOptions
  readonly #server: Bun.Server<undefined>
  #closingTimer: Timer | undefined
  #isClosing = false

  /** @throws what Bun.serve throws */
  constructor(options: BunServerOptions) {
    this.#options = options
    this.#server = Bun.serve(serveOptions(options))
    this.port = this.#server.port ?? 0
  }

  /** Closes each connection after its next response. */
  announceClose(): void {
    this.#isClosing = true
    clearTimeout(this.#closingTimer)
    this.#reload(closingAll(this.#options.fetch))
  }

  /** For this time, closes each connection after its next response, also new ones. */
  announceCloseFor(seconds: number): void {
    if (this.#isClosing) return
    clearTimeout(this.#closingTimer)
    this.#reload(closingAll(this.#options.fetch))
    this.#closingTimer = setTimeout(() => this.#reload(this.#options.fetch), seconds * 1_000).unref()
  }

  async stop(): Promise<void> {
    await this.#server.stop()
  }

  async destroy(): Promise<void> {
    await this.#server.stop(true)
  }

  #reload(fetch: BunHandler): void {
    this.#server.reload(serveOptions({ ...this.#options, fetch }))
  }
}

function serveOptions({ at = internal, tls, idleTimeoutSeconds, fetch }: BunServerOptions) {
  return {
    development: false as const,
    maxRequestBodySize: bodyBytesMax,
    idleTimeout: idleTimeoutSeconds,
    fetch,
    error: (thrown: unknown) => problemResponse(thrown),
    hostname: at.bind,
    port: at.port,
    // With `development: false`, Bun shares ports by default.
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
