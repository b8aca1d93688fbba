/** Who listens at a port: the lane, with Bun's server behind it at a port of its own that this machine alone can reach. */
import type { TlsPair } from '../config/tls-pair.ts'
import type { Answerer } from '../http/answer.ts'
import { BunServer } from './bun-server.ts'
import { claim, listenError } from './claim.ts'
import { drain } from './drain.ts'
import { ExcessLog } from './excess-log.ts'
import { guarded, type PassedOn } from './guard.ts'
import { handlerOf } from '../http/handler.ts'
import type { HostRule } from './host-rule.ts'
import { Lane } from './fast-path/lane.ts'

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
  /** Connections beyond it are closed at once. */
  connectionsMax?: number
  /** Of requests that are passed on at the same time. */
  tunnelsMax?: number
  /** Where closed connections are told of, if others close some, too. */
  excess?: ExcessLog
}

export interface Listener {
  readonly port: number
  /** Only where it listens with TLS. @throws what Bun.listen throws, nothing being changed then */
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
    return openLane({ ...options, port: ownPort })
  } catch (cause) {
    throw listenError(bind, port, cause)
  }
}

function openLane(options: ListenerOptions): Listener {
  const { bind, port, tls, idleTimeoutSeconds = idleTimeoutSecondsDefault, sharing, answerer, hostRule } = options
  const passedOn: PassedOn = new Map()
  const server = new BunServer({ idleTimeoutSeconds, fetch: guarded(handlerOf(answerer), hostRule, passedOn) })
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
