/** The HTTP server of the executable: an answerer behind a listener with bounds. */
import type { TlsPair } from '../config/tls-pair.ts'
import { ConnectionCap } from './connection-cap.ts'
import { connectionsWithin, descriptorLimit, slackWithin, tunnelsWithin } from './descriptors.ts'
import { ExcessLog } from './excess-log.ts'
import type { Answerer } from '../http/answer.ts'
import type { HostRule } from './host-rule.ts'
import { openListener } from './listener.ts'

export interface ListenOptions {
  /** Address or name to listen at. */
  bind: string
  /** 0 takes any that is free. */
  port: number
  /** Absent for plain HTTP. */
  tls?: TlsPair | undefined
  /** Fewer where the limit of descriptors leaves no room for them, which is all that bounds them where this is absent. */
  connectionsMax?: number
  idleTimeoutSeconds?: number
  /** Further threads of this process will listen at the same port, as many as this less one. */
  threads?: number
  /** Absent where requests may name any host. */
  hostRule?: HostRule | undefined
}

export interface HttpServer {
  /** To be opened from this machine, without a slash at the end. */
  readonly url: string
  readonly port: number
  /** From now on new connections get this certificate; those that are open keep theirs. Only where it listens with TLS. */
  renewTls(pair: TlsPair): void
  /** Takes no new connection, waits for the requests under way, but no longer than the bound, and closes what is left. */
  stop(drainTimeoutMs: number): Promise<void>
}

/** @throws LatchkeyError where it cannot listen */
export function listen(answerer: Answerer, options: ListenOptions): HttpServer {
  const { bind, port, tls, connectionsMax = Infinity, idleTimeoutSeconds, threads = 1, hostRule } = options
  const sharing = threads > 1 ? 'first' : undefined
  const limit = descriptorLimit()
  const connections = connectionsWithin(connectionsMax, limit)
  const bounds = boundsWithin(limit, connectionsMax, threads)
  const excess = new ExcessLog()
  const listener = openListener({ bind, port, tls, idleTimeoutSeconds, sharing, answerer, hostRule, excess, ...bounds })
  const cap = new ConnectionCap({
    port: listener.port,
    connectionsMax: connections,
    descriptorLimit: limit,
    excess,
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

/** What a thread of several may take of a limit of descriptors at any moment. Connections are shared out as they come, and counted for all threads now and then. */
export function boundsWithin(limit: number, connectionsMax: number, threads: number) {
  return {
    connectionsMax: connectionsWithin(connectionsMax, limit) + slackWithin(limit),
    tunnelsMax: Math.max(1, Math.floor(tunnelsWithin(limit) / threads)),
  }
}

/** What a browser on this machine takes for an address that means all of them. */
function urlHost(bind: string): string {
  if (bind === '0.0.0.0' || bind === '::') return 'localhost'
  return bind.includes(':') ? `[${bind}]` : bind
}
