/** The listeners of a thread, as one: HTTP and, at a port of its own, the Redis protocol. */
import type { RespContext } from '../resp/index.ts'
import { ExcessLog } from './excess-log.ts'
import { type Listener, type ListenerOptions, openListener } from './listener.ts'
import { OpenConnections } from './open-connections.ts'
import { openRespListener } from './resp/index.ts'

export interface RespOptions {
  /** 0 selects a free port. */
  readonly port: number
  readonly context: RespContext
}

export interface ListenersOptions extends Omit<ListenerOptions, 'connections'> {
  /** Absent if the Redis protocol is not served. */
  resp?: RespOptions | undefined
  /** Connections of all listeners, beyond which clients of Redis are refused. */
  clientsMax: number
}

export interface Listeners extends Listener {
  /** Port of the Redis protocol; undefined if it is not served. */
  readonly respPort: number | undefined
}

/** @throws LatchkeyError if it cannot listen */
export function openListeners({ resp, clientsMax, ...options }: ListenersOptions): Listeners {
  const { bind, tls, sharing, excess = new ExcessLog() } = options
  const connections = new OpenConnections()
  const http = openListener({ ...options, excess, connections })
  if (resp === undefined) return { ...http, respPort: undefined }
  try {
    const redis = openRespListener({ ...resp, bind, tls, sharing, connectionsMax: clientsMax, connections, excess })
    return {
      port: http.port,
      respPort: redis.port,
      renewTls(pair) {
        http.renewTls(pair)
        redis.renewTls(pair)
      },
      tokenReplaced() {
        http.tokenReplaced()
        redis.tokenReplaced()
      },
      async stop(drainTimeoutMs) {
        await Promise.all([http.stop(drainTimeoutMs), redis.stop(drainTimeoutMs)])
      },
    }
  } catch (thrown) {
    void http.stop(0)
    throw thrown
  }
}
