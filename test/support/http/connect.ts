/** Opens sockets to a server under test: TCP, or TLS without a check of the certificate. */
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

export interface SocketOptions {
  /** The socket can still send after the server has ended its side. */
  allowHalfOpen?: boolean
  noDelay?: boolean
}

/** @param connected with TLS: after the handshake */
export type OpenSocket = (port: number, connected: () => void, options?: SocketOptions) => Socket

export const openPlainSocket: OpenSocket = (port, connected, options) =>
  connect({ port, host: '127.0.0.1', ...options }, connected)

export const openTlsSocket: OpenSocket = (port, connected, { noDelay = false, ...options } = {}) => {
  const known = { port, host: '127.0.0.1', rejectUnauthorized: false, ...options }
  return connectTls(known, connected).setNoDelay(noDelay)
}
