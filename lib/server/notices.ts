/** Options of the server, notices about them at a start, and the line for --check. Notices and line contain no secrets. */
import type { Settings } from '../config/index.ts'
import { canSteerSockets } from '../linux/sockets.ts'
import { isLoopbackHost } from '../text/loopback.ts'
import { connectionsWithin, descriptorLimit, limitFor } from './descriptors.ts'
import type { GroupRoutingOptions } from './group-routing.ts'
import type { ListenOptions } from './listen.ts'

export interface ServerOptions extends Omit<ListenOptions, 'resp' | 'hostRule'> {
  /** Port of the Redis protocol; 0 selects a free port. Absent if it is not served. */
  respPort?: number | undefined
  /** Absent if no token is required. */
  token?: string | undefined
  /** Names that requests may have as their Host; absent if none are set. */
  hosts?: readonly string[] | undefined
  /** Absent without a group. */
  routing?: GroupRoutingOptions | undefined
  /** Origins whose pages may read answers; absent for none. */
  corsOrigins?: readonly string[] | undefined
}

/** Returns the options that the settings give. */
export function serverOptionsOf(settings: Settings): ServerOptions {
  const { serverBind: bind, serverPort: port, serverToken: token, serverHosts: hosts, serverTls: tls } = settings
  const { serverConnectionsMax: connectionsMax, httpFastPath: hasFastPath, respPort, corsOrigins } = settings
  const { group } = settings
  const routing = group && { mode: group.routing, peerCa: group.peerCa }
  return { bind, port, token, hosts, corsOrigins, tls, connectionsMax, hasFastPath, respPort, routing }
}

/** A shorter token can be guessed by a client that tries as often as the server answers. */
const tokenLengthMin = 16

/**
 * Returns warnings, to be logged once.
 * @param isRunning false during a check, when nothing listens
 */
export function serverNotices(options: ServerOptions, limit: number = descriptorLimit(), isRunning = true): string[] {
  const { bind, port, token, connectionsMax = Infinity, respPort } = options
  const notices: string[] = []
  if (token === undefined && !isLoopbackHost(bind)) {
    notices.push(
      `HTTP ${isRunning ? 'listens' : 'would listen'} at ${bind} without a token: anyone who can reach ${portsOf(port, respPort)} can read every value. Set SERVER_TOKEN_FILE, or SERVER_BIND=127.0.0.1 to serve this machine only`,
    )
  }
  if (token !== undefined) notices.push(...tokenNotices(token))
  if (!canSteerSockets) {
    notices.push('SERVER_CONNECTIONS_MAX has no effect here: it needs Linux with glibc')
    return notices
  }
  const connections = connectionsWithin(connectionsMax, limit)
  if (Number.isFinite(connectionsMax) && connections < connectionsMax) {
    notices.push(
      `SERVER_CONNECTIONS_MAX=${connectionsMax} needs more descriptors than there are: ${connections} connections are accepted. Raise the limit of ${limit} descriptors (ulimit -n, LimitNOFILE) to ${limitFor(connectionsMax)}`,
    )
  }
  return notices
}

/** A port of 0 is selected later. */
function portsOf(port: number, respPort: number | undefined): string {
  if (port === 0 || respPort === 0) return respPort === undefined ? 'its port' : 'its ports'
  return respPort === undefined ? `port ${port}` : `ports ${port} and ${respPort}`
}

export function tokenNotices(token: string): string[] {
  if (token.length >= tokenLengthMin) return []
  const better = '"openssl rand -hex 32" prints one that cannot be guessed'
  return [`SERVER_TOKEN has fewer than ${tokenLengthMin} characters: ${better}`]
}

/** Returns the line for --check. */
export function describeServer(options: ServerOptions): string {
  const { bind, port, token, hosts, corsOrigins, tls, connectionsMax, hasFastPath, respPort } = options
  const parts = [
    `${tls ? 'https' : 'http'}: at ${bind} port ${port}`,
    token === undefined ? 'no token is asked for' : 'a token is asked for',
    ...(hosts ? [`hosts ${hosts.join(', ')}`] : []),
    ...(corsOrigins ? [`pages of ${corsOrigins.join(', ')} may read`] : []),
    ...(tls ? [`certificate of ${tls.subject}, valid until ${tls.validUntil.toISOString()}`] : []),
    `at most ${connectionsWithin(connectionsMax ?? Infinity, descriptorLimit())} connections`,
    ...(respPort === undefined ? [] : [`redis protocol at port ${respPort}`]),
    ...(hasFastPath === false ? ['without the fast path'] : []),
  ]
  return parts.join(', ')
}
