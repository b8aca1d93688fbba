/**
 * Debug and trace lines of connections: opened, authenticated, closed, negotiated versions, and each request. Callers
 * check isDebug() or isTrace() first, so that nothing is built when the level is off.
 */
import type { Socket } from 'node:net'
import { isDebug, loggerOf } from '../../log/index.ts'
import type { BrokerAddress } from '../../store-protocol/client-config.ts'
import type { ConnectionOptions } from './connection-options.ts'
import type { BrokerVersions, RequestVersion } from './request-version.ts'

const log = loggerOf('kafka')

/** A line's client. Three clients have connections to the same broker. */
type Subject = Pick<ConnectionOptions, 'subject'>

/** Logs when a socket opens and closes. `listener` is the security protocol that we expect. @returns the socket */
export function observed(
  socket: Socket,
  { host, port }: BrokerAddress,
  { tls, sasl, subject: client }: Pick<ConnectionOptions, 'tls' | 'sasl' | 'subject'>,
): Socket {
  if (!isDebug()) return socket
  const broker = `${host}:${port}`
  const listener = `${sasl ? 'sasl_' : ''}${tls ? 'ssl' : 'plaintext'}`
  const begunAt = performance.now()
  socket.once(tls ? 'secureConnect' : 'connect', () => {
    const openedAt = performance.now()
    const ms = Math.round(openedAt - begunAt)
    log.debug('Connected to {broker} ({listener}, {client}) in {ms} ms', { broker, listener, client, ms })
    socket.once('close', () => {
      const openMs = Math.round(performance.now() - openedAt)
      const properties = { broker, listener, client, ms: openMs }
      log.debug('Connection to {broker} ({listener}, {client}) closed after {ms} ms', properties)
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
export function logRequest(
  { host, port }: BrokerAddress,
  request: RequestVersion,
  sentAt: number,
  { subject: client }: Subject,
): void {
  const { apiName: api, apiVersion: version } = request
  if (api === 'Fetch' || api === 'Produce') return
  const ms = Math.round(performance.now() - sentAt)
  const broker = `${host}:${port}`
  log.trace('{api} version {version} at {broker} took {ms} ms ({client})', { api, version, broker, ms, client })
}
