/** The listener of the Redis protocol. */
import type { TlsPair } from '../../config/tls-pair.ts'
import { drain } from '../drain.ts'
import { claim, listenError } from '../port-claim.ts'
import { RespServer, type RespServerOptions } from './resp-server.ts'

export interface RespListenerOptions extends Omit<RespServerOptions, 'isShared'> {
  /** Set if several threads of this process share the port: `first` for the first of them, `other` for the rest. */
  sharing?: 'first' | 'other' | undefined
}

export interface RespListener {
  readonly port: number
  /**
   * Only for a listener with TLS.
   * @throws what Bun.listen throws; then nothing has changed
   */
  renewTls(tls: TlsPair): void
  /** Another token is required: clients that have sent the former one are disconnected. */
  tokenReplaced(): void
  /** Accepts no new connection, answers the commands that have arrived, and closes all connections. */
  stop(drainTimeoutMs: number): Promise<void>
}

/** @throws LatchkeyError if it cannot listen */
export function openRespListener({ sharing, ...options }: RespListenerOptions): RespListener {
  const { bind, port, tls } = options
  try {
    // As for HTTP (../listener.ts): a port to be shared is first claimed alone.
    const ownPort = (tls && !sharing) || sharing === 'first' ? claim(bind, port) : port
    const server = new RespServer({ ...options, port: ownPort, isShared: sharing !== undefined })
    return {
      port: server.port,
      renewTls: (pair) => server.renewTls(pair),
      tokenReplaced: () => server.tokenReplaced(),
      stop: (drainTimeoutMs) => drain(server.port, [server], drainTimeoutMs),
    }
  } catch (cause) {
    throw listenError(bind, port, cause, 'RESP_PORT')
  }
}
