/** Bun.serve behind the lane, bounded, at a port that this machine alone can reach. */
import type { Drainable } from './drain.ts'
import { type BunHandler, closing, requestBodyBytesMax } from './guard.ts'
import { problemResponse } from '../http/problem.ts'

export interface BunServerOptions {
  /** After which a connection that waits for its client is closed; Bun cuts headers that take longer than 10 s in any case. */
  idleTimeoutSeconds: number
  fetch: BunHandler
}

export class BunServer implements Drainable {
  readonly port: number
  readonly #options: BunServerOptions
  readonly #server: Bun.Server<undefined>

  /** @throws what Bun.serve throws */
  constructor(options: BunServerOptions) {
    this.#options = options
    this.#server = Bun.serve(serveOptions(options))
    this.port = this.#server.port ?? 0
  }

  /** The same answers, after each of which the connection ends. */
  farewell(): void {
    this.#server.reload(serveOptions({ ...this.#options, fetch: closingAll(this.#options.fetch) }))
  }

  async stop(): Promise<void> {
    await this.#server.stop()
  }

  async cut(): Promise<void> {
    await this.#server.stop(true)
  }
}

function serveOptions({ idleTimeoutSeconds, fetch }: BunServerOptions) {
  return {
    development: false as const,
    maxRequestBodySize: requestBodyBytesMax,
    idleTimeout: idleTimeoutSeconds,
    fetch,
    error: (thrown: unknown) => problemResponse(thrown),
    // TCP, not a Unix socket: whose buffers are so small that Bun's server cuts short what is pipelined, and whose queue refuses beyond 512 at once.
    hostname: '127.0.0.1',
    port: 0,
    // Without development Bun shares ports unless told not to.
    reusePort: false,
  }
}

function closingAll(fetch: BunHandler): BunHandler {
  return (request, server) => {
    const answer = fetch(request, server)
    return answer instanceof Promise ? answer.then(closing) : closing(answer)
  }
}
