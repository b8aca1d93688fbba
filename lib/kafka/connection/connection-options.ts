import type { SaslConfig } from '../../store-protocol/client-config.ts'
import type { SocketOptions } from './socket.ts'

export interface ConnectionOptions extends SocketOptions {
  subject?: string // name of the client in log lines
  clientId: string
  /** For TCP, TLS and SASL together, until the broker answers. */
  connectionTimeoutMs: number
  sasl?: SaslConfig | null
  /** Maximum of unanswered requests on one connection; null for any number. */
  inFlightMax?: number | null
  /** Maximum size of a response. A larger one is an error. */
  receiveBytesMax?: number
}
