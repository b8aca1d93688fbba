/** How many descriptors the process may open, and how many of them connections may take. */
import { readdirSync, readFileSync, statSync } from 'node:fs'

const limitsPath = '/proc/self/limits'
const openPath = '/proc/self/fd'
/** For connections to brokers, files and whatever the runtime opens, which connections of clients never take; half of the limit where that is less. */
const reservedMax = 256

/** The soft limit, which Bun raises to the hard one when it starts; Infinity where the system does not tell or sets none. */
export function descriptorLimit(): number {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync(limitsPath, 'utf8'))?.[1]
    return soft === undefined ? Infinity : Number(soft)
  } catch {
    return Infinity
  }
}

/** Of requests that are passed on at the same time: more wait. */
const tunnelsMax = 128
/** A sixteenth of the limit may be tunnels, each of which takes two beside its client's. */
const tunnelShare = 16
const perTunnel = 2

/** How many requests can be passed on to Bun's server at the same time. */
export function tunnelsWithin(limit: number): number {
  return Math.max(1, Math.min(tunnelsMax, Math.floor(limit / tunnelShare)))
}

/** Of as many connections as are wanted, those that a limit of descriptors leaves room for. */
export function connectionsWithin(wanted: number, limit: number): number {
  const apart = reservedWithin(limit) + perTunnel * tunnelsWithin(limit)
  return Math.max(1, Math.min(wanted, limit - apart))
}

/** How many more there may be for a moment: they are answered before they are closed, which is what a probe needs where others hold all connections. */
export function slackWithin(limit: number): number {
  return Math.floor(reservedWithin(limit) / 2)
}

function reservedWithin(limit: number): number {
  return Math.min(reservedMax, Math.floor(limit / 2))
}

/** The limit that leaves room for so many connections. */
export function limitFor(connections: number): number {
  const apart = connections + reservedMax
  const withShare = Math.ceil(apart / (1 - perTunnel / tunnelShare))
  return Math.min(withShare, apart + perTunnel * tunnelsMax)
}

/** Descriptors open now. Since Linux 6.2 the directory's size tells; before, they are counted. */
export function openDescriptors(): number {
  return statSync(openPath).size || readdirSync(openPath).length
}
