/** The HTTP server: the lookup handler and the routes, behind the token, behind a listener with bounds. */
import type { TlsPair } from '../config/tls-pair.ts'
import { createMetrics, LookupStats } from '../metrics.ts'
import { type Answer, requireToken } from './bearer.ts'
import { ConnectionCap } from './connection-cap.ts'
import { connectionsWithin, descriptorLimit } from './descriptors.ts'
import { targetOf } from './key.ts'
import { Listener } from './listener.ts'
import { LookupHandler, lookupPrefix } from './lookup.ts'
import { createRoutes } from './routes.ts'
import type { StoreView } from './store-view.ts'

export type { StoreView } from './store-view.ts'

const flushWaitMsDefault = 10_000

export interface ServeOptions {
  /** Address or name to listen at. */
  bind: string
  /** 0 takes any that is free. */
  port: number
  /** For build_info. */
  version: string
  /** Asked of every request but those for liveness and readiness; absent where none is. */
  token?: string | undefined
  /** Absent for plain HTTP. */
  tls?: TlsPair | undefined
  /** Fewer where the limit of descriptors leaves no room for them, which is all that bounds them where this is absent. */
  connectionsMax?: number
  idleTimeoutSeconds?: number
  flushWaitMs?: number
}

export interface HttpServer {
  /** To be opened from this machine, without a slash at the end. */
  readonly url: string
  readonly port: number
  /** From now on new connections get this certificate; those under way are not cut. Only where it listens with TLS. */
  renewTls(pair: TlsPair): void
  /** Takes no new connection, waits for the requests under way, but no longer than the bound, and closes what is left. */
  stop(drainTimeoutMs: number): Promise<void>
}

/** @throws LatchkeyError where it cannot listen */
export function serve(store: StoreView, options: ServeOptions): HttpServer {
  const { bind, port, version, token, tls, connectionsMax = Infinity, flushWaitMs = flushWaitMsDefault } = options
  const lookupStats = new LookupStats()
  const lookups = new LookupHandler(store, lookupStats)
  const routes = createRoutes(store, createMetrics(store, lookupStats, version), { flushWaitMs })
  const dispatch: Answer = (request, target) => {
    return target.startsWith(lookupPrefix) ? lookups.handle(request, target) : routes(request, target)
  }
  const answer = token === undefined ? dispatch : requireToken(token, dispatch)
  const { idleTimeoutSeconds } = options
  const fetch = (request: Request) => answer(request, targetOf(request.url))
  const listener = new Listener({ bind, port, tls, idleTimeoutSeconds, fetch })
  const limit = descriptorLimit()
  const cap = new ConnectionCap({
    port: listener.port,
    connectionsMax: connectionsWithin(connectionsMax, limit),
    descriptorLimit: limit,
  })
  return {
    url: `${tls ? 'https' : 'http'}://${urlHost(bind)}:${listener.port}`,
    port: listener.port,
    renewTls: (pair) => listener.renewTls(pair),
    async stop(drainTimeoutMs) {
      await listener.stop(drainTimeoutMs)
      cap[Symbol.dispose]()
    },
  }
}

/** What a browser on this machine takes for an address that means all of them. */
function urlHost(bind: string): string {
  if (bind === '0.0.0.0' || bind === '::') return 'localhost'
  return bind.includes(':') ? `[${bind}]` : bind
}
