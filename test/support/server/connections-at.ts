import { descriptors, isConnectionAt } from '../../../lib/linux/sockets.ts'

/** Open connections of a server in this process. */
export function connectionsAt(port: number): number {
  return descriptors().filter((descriptor) => isConnectionAt(port, descriptor)).length
}
