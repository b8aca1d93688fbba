/** How a test connects: over plain TCP or with TLS, whatever the certificate. */
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

export interface DialOptions {
  /** The end of what the server sends does not end what is sent to it. */
  allowHalfOpen?: boolean
  noDelay?: boolean
}

/** @param connected with TLS, once hands are shaken */
export type Dial = (port: number, connected: () => void, options?: DialOptions) => Socket

export const dialPlain: Dial = (port, connected, options) => connect({ port, host: '127.0.0.1', ...options }, connected)

export const dialTls: Dial = (port, connected, { noDelay = false, ...options } = {}) => {
  const known = { port, host: '127.0.0.1', rejectUnauthorized: false, ...options }
  return connectTls(known, connected).setNoDelay(noDelay)
}
