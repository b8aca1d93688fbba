/** Sockets to brokers, configured by the client properties. */
import net from 'node:net'
import tls from 'node:tls'
import type { TlsConfig } from '../../store-protocol/client-config.ts'

export interface SocketOptions {
  /** If `null` or absent, the connection is not encrypted. */
  tls?: TlsConfig | null
  keepAlive?: boolean
  noDelay?: boolean
  /** IP version of addresses; 0 for any. */
  family?: 0 | 4 | 6
}

const keepAliveAfterMs = 60_000

/** Options for node:tls. Without a CA, the system's certificates are trusted besides the built-in ones. */
function tlsOptions({
  ca,
  cert,
  key,
  ciphers,
  ecdhCurve,
  sigalgs,
  verifiesCertificate,
  verifiesHostName,
}: TlsConfig): tls.ConnectionOptions {
  return {
    ca: ca === undefined ? systemCertificates() : [...ca],
    rejectUnauthorized: verifiesCertificate,
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(ciphers === undefined ? {} : { ciphers }),
    ...(ecdhCurve === undefined ? {} : { ecdhCurve }),
    ...(sigalgs === undefined ? {} : { sigalgs }),
    ...(verifiesHostName ? {} : { checkServerIdentity: () => undefined }),
  }
}

let system: string[] | undefined

function systemCertificates(): string[] {
  system ??= [...new Set([...tls.rootCertificates, ...tls.getCACertificates('system')])]
  return system
}

/** @param onConnect called once the connection is open, including TLS */
export function connectSocket(host: string, port: number, options: SocketOptions, onConnect: () => void): net.Socket {
  const { family = 0, keepAlive = true, noDelay = true } = options
  const target = { host, port, ...(family === 0 ? {} : { family }) }
  const servername = net.isIP(host) === 0 ? { servername: host } : {}
  const socket = options.tls
    ? tls.connect({ ...target, ...servername, ...tlsOptions(options.tls) }, onConnect)
    : net.connect(target, onConnect)
  // kafkajs's own factory does not set TCP_NODELAY: small requests would wait for an acknowledgement.
  if (noDelay) socket.setNoDelay(true)
  if (keepAlive) socket.setKeepAlive(true, keepAliveAfterMs)
  return socket
}
