/** Limit of descriptors of the process, and the share of it that connections may take. */
import { readdirSync, readFileSync, statSync } from 'node:fs'

const limitsPath = '/proc/self/limits'
const openPath = '/proc/self/fd'
/**
 * Reserved for connections to brokers, files and the runtime. Client connections never take these. Half of the limit if
 * that is less.
 */
const reservedMax = 256

/** Returns the soft limit, which Bun raises to the hard limit at start. Infinity if the system reports or sets none. */
export function descriptorLimit(): number {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync(limitsPath, 'utf8'))?.[1]
    return soft === undefined ? Infinity : Number(soft)
  } catch {
    return Infinity
  }
}

/** Maximum number of requests forwarded to Bun's server at the same time. More requests wait. */
const tunnelsMax = 128
/** At most a sixteenth of the limit may be tunnels. Each takes two descriptors in addition to its client's. */
const tunnelShare = 16
const perTunnel = 2

/** Returns the number of requests that can be forwarded to Bun's server at the same time. */
export function tunnelsWithin(limit: number): number {
  return Math.max(1, Math.min(tunnelsMax, Math.floor(limit / tunnelShare)))
}

/** Returns the number of connections, up to `wanted`, for which a limit of descriptors has room. */
export function connectionsWithin(wanted: number, limit: number): number {
  const apart = reservedWithin(limit) + perTunnel * tunnelsWithin(limit)
  return Math.max(1, Math.min(wanted, limit - apart))
}

/**
 * Returns the number of connections beyond the bound that are accepted for a moment. They are answered before they are
 * closed: a probe needs this when other clients hold all connections.
 */
export function slackWithin(limit: number): number {
  return Math.floor(reservedWithin(limit) / 2)
}

function reservedWithin(limit: number): number {
  return Math.min(reservedMax, Math.floor(limit / 2))
}

/** Returns the limit of descriptors that has room for a number of connections. */
export function limitFor(connections: number): number {
  const apart = connections + reservedMax
  const withShare = Math.ceil(apart / (1 - perTunnel / tunnelShare))
  return Math.min(withShare, apart + perTunnel * tunnelsMax)
}

/**
 * Returns the number of open descriptors. Since Linux 6.2 the directory's size is that number; before, entries are
 * counted.
 */
export function openDescriptors(): number {
  return statSync(openPath).size || readdirSync(openPath).length
}
