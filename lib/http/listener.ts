/**
 * Bun.serve, bounded, and with certificates that can be renewed. `server.reload` ignores `tls` without a word, so that a renewal is a second
 * server at the same port, which takes over: new connections go to it alone, those of the first one end with their next answer.
 */
import type { TlsPair } from '../config/tls-pair.ts'
import { LatchkeyError } from '../errors.ts'
import { loggerOf } from '../log.ts'
import { problemResponse } from './problem.ts'
import { directNewConnections, ignoreNewConnections } from './sockets.ts'

/** No route reads a body. */
const requestBodyBytesMax = 4_096
/** Must exceed the longest wait of a handler, which is a flush. */
const idleTimeoutSecondsDefault = 30
/** After both, the connections of a server that was replaced have been answered or were idle for too long. */
const retirementSlackMs = 15_000

/** For a client that sends one request after another, long enough to learn that it should connect elsewhere. */
const farewellMs = 100
/** In which what has connected before is accepted. */
const acceptMs = 20

type Fetch = (request: Request) => Response | Promise<Response>

export interface ListenerOptions {
  /** Address or name to listen at. */
  bind: string
  /** 0 takes any that is free. */
  port: number
  /** Absent for plain HTTP. */
  tls?: TlsPair | undefined
  /** After which a connection that waits for its client is closed; Bun cuts headers that take longer than 10 s in any case. */
  idleTimeoutSeconds?: number | undefined
  /** The port is shared with other threads of this process: as the first of them, or as another one. */
  sharing?: 'first' | 'other' | undefined
  fetch: Fetch
}

export class Listener {
  readonly port: number
  readonly #options: ListenerOptions
  #server: Bun.Server<undefined>
  #isStopping = false
  #retiring: { server: Bun.Server<undefined>; timer: Timer } | undefined

  /** @throws LatchkeyError where it cannot listen */
  constructor(options: ListenerOptions) {
    const { bind, port, tls, sharing } = options
    this.#options = options
    try {
      // Sharing the port with oneself means sharing it with whoever asks for it: hence it is taken alone first, which fails if it is in use.
      const ownPort = (tls && !sharing) || sharing === 'first' ? claim(bind, port) : port
      this.#server = Bun.serve(serveOptions({ ...options, port: ownPort }))
    } catch (cause) {
      throw listenError(bind, port, cause)
    }
    this.port = this.#server.port ?? port
  }

  /**
   * New connections get this certificate. Those that are open keep the one before until their next answer, which asks the client to
   * connect anew; where two renewals follow each other within a minute, idle ones of the first server are closed.
   * @throws what Bun.serve throws, nothing being changed then
   */
  renewTls(tls: TlsPair): void {
    if (this.#isStopping) return
    this.#endRetirement()
    const server = Bun.serve(serveOptions({ ...this.#options, port: this.port, tls }))
    const retired = this.#server
    this.#server = server
    // Among several threads the kernel shares them out: which socket is whose cannot be told.
    if (this.#options.sharing || !directNewConnections(this.port, 1))
      loggerOf('http').debug('The kernel shares connections out between old and new certificate')
    retired.reload(serveOptions({ ...this.#options, fetch: closing(this.#options.fetch) }))
    const { idleTimeoutSeconds = idleTimeoutSecondsDefault } = this.#options
    const timer = setTimeout(() => this.#endRetirement(), idleTimeoutSeconds * 1_000 + retirementSlackMs)
    timer.unref()
    this.#retiring = { server: retired, timer }
  }

  /**
   * Asks busy connections to end with their next answer, then takes no new ones but those that have begun, waits for the requests under way, but no longer than the
   * bound, and closes what is left. Without the first, clients that keep connections alive see them reset under their next request.
   */
  async stop(drainTimeoutMs: number): Promise<void> {
    this.#isStopping = true
    const servers = this.#retiring ? [this.#server, this.#retiring.server] : [this.#server]
    clearTimeout(this.#retiring?.timer)
    for (const server of servers) server.reload(serveOptions({ ...this.#options, fetch: closing(this.#options.fetch) }))
    await Bun.sleep(Math.min(farewellMs, drainTimeoutMs))
    ignoreNewConnections(this.port)
    await Bun.sleep(Math.min(acceptMs, drainTimeoutMs))
    let timer: Timer | undefined
    const timedOut = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, drainTimeoutMs)
    })
    await Promise.race([Promise.all(servers.map((server) => server.stop())), timedOut])
    clearTimeout(timer)
    await Promise.all(servers.map((server) => server.stop(true)))
  }

  #endRetirement(): void {
    if (!this.#retiring) return
    clearTimeout(this.#retiring.timer)
    // Resolves once the last request under way is answered, for which nobody waits here.
    void this.#retiring.server.stop()
    this.#retiring = undefined
  }
}

function serveOptions(options: ListenerOptions) {
  const { bind, port, tls, idleTimeoutSeconds = idleTimeoutSecondsDefault, sharing, fetch } = options
  return {
    hostname: bind,
    port,
    development: false as const,
    // Without development Bun shares ports unless told not to: two stores at one port would answer by turns.
    reusePort: tls !== undefined || sharing !== undefined,
    idleTimeout: idleTimeoutSeconds,
    maxRequestBodySize: requestBodyBytesMax,
    ...(tls && { tls: { cert: tls.cert, key: tls.key } }),
    fetch,
    error: (thrown: unknown) => problemResponse(thrown),
  }
}

/** @returns the port, which nobody else listens at */
function claim(bind: string, port: number): number {
  const server = Bun.serve({ hostname: bind, port, development: false, reusePort: false, fetch: () => new Response() })
  void server.stop(true)
  return server.port ?? port
}

/** The same answers, after each of which the connection ends. */
function closing(fetch: Fetch): Fetch {
  return (request) => {
    const answer = fetch(request)
    return answer instanceof Promise ? answer.then(closeAfter) : closeAfter(answer)
  }
}

function closeAfter(response: Response): Response {
  response.headers.set('connection', 'close')
  return response
}

function listenError(bind: string, port: number, cause: unknown): LatchkeyError {
  const { code } = cause as NodeJS.ErrnoException
  // Bun gives the same code for a name that it cannot resolve.
  const inUse = `the port is in use, or ${bind} is no address of this machine; choose another SERVER_PORT or SERVER_BIND`
  const found = code === 'EADDRINUSE' ? inUse : `${code ?? 'it was refused'}; choose another SERVER_PORT or SERVER_BIND`
  return new LatchkeyError('listen_failed', `Listening at ${bind} port ${port}: ${found}`, { cause })
}
