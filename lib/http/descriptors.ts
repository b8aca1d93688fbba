/** How many descriptors the process may open, and how many of them connections may take. */
import { readdirSync, readFileSync, statSync } from 'node:fs'

const limitsPath = '/proc/self/limits'
const openPath = '/proc/self/fd'
/** For connections to brokers, files and whatever the runtime opens; half of the limit where that is less. */
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

/** Of as many connections as are wanted, those that a limit of descriptors leaves room for. */
export function connectionsWithin(wanted: number, limit: number): number {
  return Math.min(wanted, limit - Math.min(reservedMax, Math.floor(limit / 2)))
}

/** The limit that leaves room for so many connections. */
export function limitFor(connections: number): number {
  return connections + reservedMax
}

/** Descriptors open now. Since Linux 6.2 the directory's size tells; before, they are counted. */
export function openDescriptors(): number {
  return statSync(openPath).size || readdirSync(openPath).length
}
