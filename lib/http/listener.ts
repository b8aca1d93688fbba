/**
 * Who listens at a port: with TLS Bun's server, else the lane with Bun's server behind it, at a port of its own that this machine alone can reach.
 */
import type { TlsPair } from '../config/tls-pair.ts'
import type { Answerer } from './answer.ts'
import { BunServer } from './bun-server.ts'
import { claim, listenError } from './claim.ts'
import { drain } from './drain.ts'
import { guarded, guardedBehind, type PassedOn } from './guard.ts'
import { handlerOf } from './handler.ts'
import type { HostRule } from './host-rule.ts'
import { Lane } from './lane/lane.ts'

/** Must exceed the longest wait of a handler, which is a flush. */
const idleTimeoutSecondsDefault = 30

export interface ListenerOptions {
  /** Address or name to listen at. */
  bind: string
  /** 0 takes any that is free. */
  port: number
  /** Absent for plain HTTP. */
  tls?: TlsPair | undefined
  /** After which a connection that waits for its client is closed. */
  idleTimeoutSeconds?: number | undefined
  /** The port is shared with other threads of this process: as the first of them, or as another one. */
  sharing?: 'first' | 'other' | undefined
  answerer: Answerer
  /** Absent where requests may name any host. */
  hostRule?: HostRule | undefined
  /** Without TLS: connections beyond it are closed at once. */
  connectionsMax?: number
  /** Without TLS: of requests that are passed on at the same time. */
  tunnelsMax?: number
}

export interface Listener {
  readonly port: number
  /** Only where it listens with TLS. @throws what Bun.serve throws, nothing being changed then */
  renewTls(tls: TlsPair): void
  /** Takes no new connection, waits for the requests under way, but no longer than the bound, and closes what is left. */
  stop(drainTimeoutMs: number): Promise<void>
}

/** @throws LatchkeyError where it cannot listen */
export function openListener(options: ListenerOptions): Listener {
  const { bind, port, tls, sharing } = options
  try {
    // Sharing the port with oneself means sharing it with whoever asks for it: hence it is taken alone first, which fails if it is in use.
    const ownPort = (tls && !sharing) || sharing === 'first' ? claim(bind, port) : port
    return tls ? openBunAlone({ ...options, port: ownPort }) : openLane({ ...options, port: ownPort })
  } catch (cause) {
    throw listenError(bind, port, cause)
  }
}

function openBunAlone(options: ListenerOptions): Listener {
  const { bind, port, tls, idleTimeoutSeconds = idleTimeoutSecondsDefault, sharing, answerer, hostRule } = options
  const isShared = tls !== undefined || sharing !== undefined
  const at = { hostname: bind, port, isShared }
  const server = new BunServer({ at, tls, idleTimeoutSeconds, fetch: guarded(handlerOf(answerer), hostRule) })
  return {
    port: server.port,
    renewTls: (pair) => server.renewTls(pair, sharing === undefined),
    stop: (drainTimeoutMs) => drain(server.port, [server], drainTimeoutMs),
  }
}

function openLane(options: ListenerOptions): Listener {
  const { bind, port, idleTimeoutSeconds = idleTimeoutSecondsDefault, sharing, answerer, hostRule } = options
  // TCP, not a Unix socket: whose buffers are so small that Bun's server cuts short what is pipelined, and whose queue refuses beyond 512 at once.
  const at = { hostname: '127.0.0.1', port: 0, isShared: false }
  const passedOn: PassedOn = new Map()
  const fetch = guardedBehind(handlerOf(answerer), hostRule, passedOn)
  const server = new BunServer({ at, idleTimeoutSeconds, fetch })
  const behind = { port: server.port, passedOn }
  try {
    const isShared = sharing !== undefined
    const { connectionsMax = Infinity, tunnelsMax = Infinity } = options
    const bounds = { connectionsMax, tunnelsMax, idleTimeoutSeconds }
    const lane = new Lane({ bind, port, isShared, answerer, hostRule, behind, ...bounds })
    return {
      port: lane.port,
      renewTls: () => {},
      stop: (drainTimeoutMs) => drain(lane.port, [lane, server], drainTimeoutMs),
    }
  } catch (thrown) {
    void server.cut()
    throw thrown
  }
}
