/**
 * Debug and trace lines of connections: opened, authenticated, closed, negotiated versions, and each request. Callers
 * check isDebug() or isTrace() first, so that nothing is built when the level is off.
 */
import type { Socket } from 'node:net'
import { isDebug, loggerOf } from '../../log/index.ts'
import type { BrokerAddress, SaslConfig } from '../../store-protocol/client-config.ts'
import type { BrokerVersions, RequestVersion } from './broker-versions.ts'
import type { SocketOptions } from './socket.ts'

const log = loggerOf('kafka')

/** Logs when a socket opens and closes. `listener` is the security protocol that we expect. @returns the socket */
export function observed(
  socket: Socket,
  { host, port }: BrokerAddress,
  { tls, sasl }: SocketOptions & { sasl?: SaslConfig | null },
): Socket {
  if (!isDebug()) return socket
  const broker = `${host}:${port}`
  const listener = `${sasl ? 'sasl_' : ''}${tls ? 'ssl' : 'plaintext'}`
  const begunAt = performance.now()
  socket.once(tls ? 'secureConnect' : 'connect', () => {
    const openedAt = performance.now()
    const ms = Math.round(openedAt - begunAt)
    log.debug('Connected to {broker} ({listener}) in {ms} ms', { broker, listener, ms })
    socket.once('close', () => {
      const openMs = Math.round(performance.now() - openedAt)
      log.debug('Connection to {broker} ({listener}) closed after {ms} ms', { broker, listener, ms: openMs })
    })
  })
  return socket
}

export function logAuthenticated(broker: string, mechanism: string, begunAt: number): void {
  const ms = Math.round(performance.now() - begunAt)
  log.debug('Authenticated at {broker} with {mechanism} in {ms} ms', { broker, mechanism, ms })
}

/** @param requests those whose highest version at the broker is logged */
export function logVersions(broker: string, versions: BrokerVersions, requests: readonly RequestVersion[]): void {
  const highest = requests.map(({ apiKey, apiName }) => `${apiName} ${versions[apiKey]?.maxVersion ?? 'none'}`)
  log.debug('Highest versions at {broker}: {versions}', { broker, versions: highest.join(', ') })
}

/** Logs a request, except Fetch and Produce: those have lines with their partitions (../transfer-log.ts). */
export function logRequest({ host, port }: BrokerAddress, request: RequestVersion, sentAt: number): void {
  const { apiName: api, apiVersion: version } = request
  if (api === 'Fetch' || api === 'Produce') return
  const ms = Math.round(performance.now() - sentAt)
  log.trace('{api} version {version} at {broker} took {ms} ms', { api, version, broker: `${host}:${port}`, ms })
}
