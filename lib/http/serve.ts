/** The HTTP server: Bun.serve before the lookup handler and the routes, and how it ends. */
import { LatchkeyError } from '../errors.ts'
import { createMetrics, LookupStats } from '../metrics.ts'
import { targetOf } from './key.ts'
import { LookupHandler, lookupPrefix } from './lookup.ts'
import { problemResponse } from './problem.ts'
import { createRoutes } from './routes.ts'
import type { StoreView } from './store-view.ts'

export type { StoreView } from './store-view.ts'

/** No route reads a body. */
const requestBodyBytesMax = 4_096
/** Must exceed the longest wait of a handler, which is a flush. */
const idleTimeoutSeconds = 30
const flushWaitMsDefault = 10_000

export interface ServeOptions {
  /** Address or name to listen at. */
  bind: string
  /** 0 takes any that is free. */
  port: number
  /** For build_info. */
  version: string
  flushWaitMs?: number
}

export interface HttpServer {
  /** To be opened from this machine, without a slash at the end. */
  readonly url: string
  readonly port: number
  /** Takes no new connection, waits for the requests under way, but no longer than the bound, and closes what is left. */
  stop(drainTimeoutMs: number): Promise<void>
}

/** @throws LatchkeyError where it cannot listen */
export function serve(store: StoreView, options: ServeOptions): HttpServer {
  const { bind, port, version, flushWaitMs = flushWaitMsDefault } = options
  const lookupStats = new LookupStats()
  const lookups = new LookupHandler(store, lookupStats)
  const routes = createRoutes(store, createMetrics(store, lookupStats, version), { flushWaitMs })
  let server: Bun.Server<undefined>
  try {
    server = Bun.serve({
      hostname: bind,
      port,
      development: false,
      // Without development Bun shares ports unless told not to: two stores at one port would answer by turns.
      reusePort: false,
      idleTimeout: idleTimeoutSeconds,
      maxRequestBodySize: requestBodyBytesMax,
      fetch(request) {
        const target = targetOf(request.url)
        return target.startsWith(lookupPrefix) ? lookups.handle(request, target) : routes(request, target)
      },
      error: (thrown) => problemResponse(thrown),
    })
  } catch (cause) {
    throw listenError(bind, port, cause)
  }
  const actualPort = server.port ?? port
  return { url: `http://${urlHost(bind)}:${actualPort}`, port: actualPort, stop: (ms) => drain(server, ms) }
}

async function drain(server: Bun.Server<undefined>, timeoutMs: number): Promise<void> {
  let timer: Timer | undefined
  const timedOut = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs)
  })
  await Promise.race([server.stop(), timedOut])
  clearTimeout(timer)
  await server.stop(true)
}

/** What a browser on this machine takes for an address that means all of them. */
function urlHost(bind: string): string {
  if (bind === '0.0.0.0' || bind === '::') return 'localhost'
  return bind.includes(':') ? `[${bind}]` : bind
}

function listenError(bind: string, port: number, cause: unknown): LatchkeyError {
  const { code } = cause as NodeJS.ErrnoException
  // Bun gives the same code for a name that it cannot resolve.
  const inUse = `the port is in use, or ${bind} is no address of this machine; choose another SERVER_PORT or SERVER_BIND`
  const found = code === 'EADDRINUSE' ? inUse : `${code ?? 'it was refused'}; choose another SERVER_PORT or SERVER_BIND`
  return new LatchkeyError('listen_failed', `Listening at ${bind} port ${port}: ${found}`, { cause })
}
