/**
 * The listener at a port: the fast path, with Bun's server behind it at an internal port that only this machine can
 * reach.
 */
import type { TlsPair } from '../config/tls-pair.ts'
import type { Answerer } from '../http/answer.ts'
import { BunServer } from './bun-server.ts'
import { claim, listenError } from './claim.ts'
import { drain } from './drain.ts'
import { ExcessLog } from './excess-log.ts'
import { Lane } from './fast-path/lane.ts'
import { guarded } from './guard.ts'
import type { HostRule } from './host-rule.ts'
import { PassedOn } from './passed-on.ts'

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
  answerer: Answerer
  /** Absent if requests may name any host. */
  hostRule?: HostRule | undefined
  /** Connections beyond the maximum are closed at once. */
  connectionsMax?: number
  /** Maximum number of requests passed on to Bun's server at the same time. */
  tunnelsMax?: number
  /** Log of closed connections; pass one if others close connections, too. */
  excess?: ExcessLog
}

export interface Listener {
  readonly port: number
  /**
   * Only for a listener with TLS.
   * @throws what Bun.listen throws; then nothing has changed
   */
  renewTls(tls: TlsPair): void
  /** Accepts no new connection, waits for the requests in progress up to the bound, and closes the rest. */
  stop(drainTimeoutMs: number): Promise<void>
}

/** @throws LatchkeyError if it cannot listen */
export function openListener(options: ListenerOptions): Listener {
  const { bind, port, tls, sharing } = options
  try {
    // A shared port can be shared by any process that asks for it, not only by this one. So the port is first claimed
    // alone, which fails if it is in use.
    const ownPort = (tls && !sharing) || sharing === 'first' ? claim(bind, port) : port
    return openLane({ ...options, port: ownPort })
  } catch (cause) {
    throw listenError(bind, port, cause)
  }
}

function openLane(options: ListenerOptions): Listener {
  const { bind, port, tls, idleTimeoutSeconds = idleTimeoutSecondsDefault, sharing, answerer, hostRule } = options
  const passedOn = new PassedOn()
  const server = new BunServer({ idleTimeoutSeconds, fetch: guarded(answerer, hostRule, passedOn) })
  const behind = { port: server.port, passedOn }
  try {
    const isShared = sharing !== undefined
    const { connectionsMax = Infinity, tunnelsMax = Infinity, excess = new ExcessLog() } = options
    const bounds = { connectionsMax, tunnelsMax, idleTimeoutSeconds, excess }
    const lane = new Lane({ bind, port, tls, isShared, answerer, hostRule, behind, ...bounds })
    return {
      port: lane.port,
      renewTls: (pair) => lane.renewTls(pair),
      stop: (drainTimeoutMs) => drain(lane.port, [lane, server], drainTimeoutMs),
    }
  } catch (thrown) {
    void server.cut()
    throw thrown
  }
}
