/** The HTTP server of the executable: a request handler behind a listener with bounds. */
import type { TlsPair } from '../config/tls-pair.ts'
import type { RequestHandler } from '../http/answer.ts'
import { isUnspecifiedHost } from '../text/loopback.ts'
import { ConnectionCap } from './connection-cap.ts'
import { connectionsWithin, descriptorLimit, slackWithin, tunnelsWithin } from './descriptors.ts'
import { ExcessLog } from './excess-log.ts'
import type { HostRule } from './host-rule.ts'
import { openListeners, type RespOptions } from './listeners.ts'

export interface ListenOptions {
  /** Address or name to listen at. */
  bind: string
  /** 0 selects a free port. */
  port: number
  /** Absent for plain HTTP. */
  tls?: TlsPair | undefined
  /** Fewer if the limit of descriptors has no room for them. If absent, only that limit applies. */
  connectionsMax?: number
  idleTimeoutSeconds?: number
  /** Number of threads that listen at the port, this one included. */
  threads?: number
  /** False if Bun's server listens at the port itself. */
  hasFastPath?: boolean | undefined
  /** Absent if requests may name any host. */
  hostRule?: HostRule | undefined
  /** For trace lines. */
  storeId?: string | undefined
  /** Where and how the Redis protocol is answered; absent if it is not. */
  resp?: RespOptions | undefined
}

export interface HttpServer {
  /** URL to open on this machine, without a slash at the end. */
  readonly url: string
  readonly port: number
  /** Port of the Redis protocol; undefined if there is none. */
  readonly respPort?: number | undefined
  /** New connections get this certificate; open connections keep theirs. Only for a server that listens with TLS. */
  renewTls(pair: TlsPair): void
  /** Another token is required: connections that are open end soon. */
  tokenReplaced(): void
  /** Accepts no new connection, waits for the requests in progress up to the bound, and closes the rest. */
  stop(drainTimeoutMs: number): Promise<void>
}

/** @throws LatchkeyError if it cannot listen */
export function listen(requestHandler: RequestHandler, options: ListenOptions): HttpServer {
  const { bind, port, tls, connectionsMax = Infinity, idleTimeoutSeconds, threads = 1 } = options
  const { hostRule, hasFastPath, storeId, resp } = options
  const sharing = threads > 1 ? 'first' : undefined
  const limit = descriptorLimit()
  const connections = connectionsWithin(connectionsMax, limit)
  const bounds = boundsWithin(limit, connectionsMax, threads)
  const excess = new ExcessLog()
  const listener = openListeners({
    bind,
    port,
    tls,
    idleTimeoutSeconds,
    sharing,
    requestHandler,
    hasFastPath,
    hostRule,
    excess,
    storeId,
    resp,
    ...bounds,
  })
  const { respPort } = listener
  const cap = new ConnectionCap({
    ports: respPort === undefined ? [listener.port] : [listener.port, respPort],
    connectionsMax: connections,
    descriptorLimit: limit,
    excess,
  })
  return {
    url: urlOf(bind, listener.port, tls !== undefined),
    port: listener.port,
    respPort,
    renewTls: (pair) => listener.renewTls(pair),
    tokenReplaced: () => listener.tokenReplaced(),
    async stop(drainTimeoutMs) {
      await listener.stop(drainTimeoutMs)
      cap[Symbol.dispose]()
    },
  }
}

/**
 * Returns the bounds of one thread, out of several, within a limit of descriptors. The kernel distributes connections
 * as they come, and the main thread counts those of all threads from time to time.
 */
export function boundsWithin(limit: number, connectionsMax: number, threads: number) {
  return {
    connectionsMax: connectionsWithin(connectionsMax, limit) + slackWithin(limit),
    clientsMax: connectionsWithin(connectionsMax, limit),
    tunnelsMax: Math.max(1, Math.floor(tunnelsWithin(limit) / threads)),
  }
}

/** Returns the URL of a server, without a slash at the end. */
export function urlOf(bind: string, port: number, hasTls: boolean): string {
  return `${hasTls ? 'https' : 'http'}://${urlHost(bind)}:${port}`
}

/**
 * Returns the host of a URL. A browser on this machine needs `localhost` for a bind address that means all addresses.
 */
function urlHost(bind: string): string {
  if (isUnspecifiedHost(bind)) return 'localhost'
  return bind.includes(':') ? `[${bind}]` : bind
}
