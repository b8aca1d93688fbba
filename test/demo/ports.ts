import { freePorts, isFree } from '../support/process/ports.ts'

const firstPort = 8080

/** Ports of instances: 8080 and the next ones, if all are free. */
export async function portsFor(count: number): Promise<number[]> {
  const ports = Array.from({ length: count }, (_, index) => firstPort + index)
  const free = await Promise.all(ports.map((port) => isFree(port)))
  return free.every(Boolean) ? ports : freePorts(count)
}
