/**
 * The listener at a port: the fast path, with Bun's server behind it at an internal port that only this machine can
 * reach. Without the fast path, Bun's server listens at the port itself.
 */
import type { TlsPair } from '../config/tls-pair.ts'
import type { RequestHandler } from '../http/answer.ts'
import { BunServer } from './bun-server.ts'
import { DirectServer } from './direct-server.ts'
import { drain } from './drain.ts'
import { ExcessLog } from './excess-log.ts'
import { FastPath } from './fast-path/index.ts'
import { ForwardedRequests } from './forwarded-requests.ts'
import type { HostRule } from './host-rule.ts'
import { leavingSeconds } from './leaving.ts'
import { OpenConnections } from './open-connections.ts'
import { directStreamsMax, OpenStreams } from './open-streams.ts'
import { claim, listenError } from './port-claim.ts'
import { guarded, guardedBehind } from './request-guard.ts'
import { traced } from './request-log.ts'

/** Must exceed the longest wait of a handler, which is a flush. */
const idleTimeoutSecondsDefault = 30

export interface ListenerOptions {
  /** Address or name to listen at. */
  bind: string
  /** 0 selects a free port. */
  port: number
  /** Absent for plain HTTP. */
  tls?: TlsPair | undefined
  /** Idle time after which a connection is closed. */
  idleTimeoutSeconds?: number | undefined
  /** Set if several threads of this process share the port: `first` for the first of them, `other` for the rest. */
  sharing?: 'first' | 'other' | undefined
  requestHandler: RequestHandler
  /** False if Bun's server listens at the port itself. */
  hasFastPath?: boolean | undefined
  /** Absent if requests may name any host. */
  hostRule?: HostRule | undefined
  /** On the fast path, connections beyond the maximum are closed at once. */
  connectionsMax?: number
  /** Count of connections; pass one if other listeners of the thread count there, too. */
  connections?: OpenConnections
  /** Maximum number of requests forwarded to Bun's server at the same time. */
  tunnelsMax?: number
  /** Log of closed connections; pass one if others close connections, too. */
  excess?: ExcessLog
  /** For trace lines. */
  storeId?: string | undefined
}

export interface Listener {
  readonly port: number
  /**
   * Only for a listener with TLS.
   * @throws what Bun.listen throws; then nothing has changed
   */
  renewTls(tls: TlsPair): void
  /** Another token is required: connections that are open end soon. */
  tokenReplaced(): void
  /** Accepts no new connection, waits for the requests in progress up to the bound, and closes the rest. */
  stop(drainTimeoutMs: number): Promise<void>
}

/** @throws LatchkeyError if it cannot listen */
export function openListener(options: ListenerOptions): Listener {
  const { bind, port, tls, sharing, hasFastPath = true } = options
  try {
    // A shared port can be shared by any process that asks for it, not only by this one. So the port is first claimed
    // alone, which fails if it is in use.
    const ownPort = (tls && !sharing) || sharing === 'first' ? claim(bind, port) : port
    return (hasFastPath ? openFastPath : openDirect)({ ...options, port: ownPort })
  } catch (cause) {
    throw listenError(bind, port, cause)
  }
}

function openDirect(options: ListenerOptions): Listener {
  const { bind, port, tls, idleTimeoutSeconds = idleTimeoutSecondsDefault, sharing, requestHandler, hostRule } = options
  const { storeId = '' } = options
  const hasOtherThreads = sharing !== undefined
  const at = { bind, port, isShared: tls !== undefined || hasOtherThreads }
  const streams = new OpenStreams(directStreamsMax)
  const fetch = traced(guarded(streams.watched(requestHandler), hostRule), storeId)
  const server = new DirectServer({ at, tls, idleTimeoutSeconds, fetch, hasOtherThreads })
  return {
    port: server.port,
    renewTls: (pair) => server.renewTls(pair),
    tokenReplaced() {
      server.announceCloseFor(leavingSeconds)
      streams.tokenReplaced()
    },
    stop: (drainTimeoutMs) => drain(server.port, [streams, server], drainTimeoutMs),
  }
}

function openFastPath(options: ListenerOptions): Listener {
  const { bind, port, tls, idleTimeoutSeconds = idleTimeoutSecondsDefault, sharing, requestHandler, hostRule } = options
  const forwarded = new ForwardedRequests()
  const streams = new OpenStreams()
  const fetch = guardedBehind(streams.watched(requestHandler), hostRule, forwarded)
  const server = new BunServer({ idleTimeoutSeconds, fetch })
  const upstream = { port: server.port, forwarded }
  try {
    const isShared = sharing !== undefined
    const { connectionsMax = Infinity, tunnelsMax = Infinity, excess = new ExcessLog(), storeId = '' } = options
    const { connections = new OpenConnections() } = options
    const bounds = { connectionsMax, connections, tunnelsMax, idleTimeoutSeconds, excess, storeId }
    const fastPath = new FastPath({ bind, port, tls, isShared, requestHandler, hostRule, upstream, ...bounds })
    return {
      port: fastPath.port,
      renewTls: (pair) => fastPath.renewTls(pair),
      tokenReplaced() {
        server.announceCloseFor(leavingSeconds)
        streams.tokenReplaced()
        fastPath.tokenReplaced()
      },
      stop: (drainTimeoutMs) => drain(fastPath.port, [fastPath, streams, server], drainTimeoutMs),
    }
  } catch (thrown) {
    void server.destroy()
    throw thrown
  }
}
