import { freePorts } from '../../process/ports.ts'
import type { StartOptions } from './broker.ts'

export interface FurtherListener {
  name: string
  protocol: string
  port: number
}

/** A port for each listener that is asked for beside the usual ones. */
export async function furtherListeners(options: StartOptions): Promise<FurtherListener[]> {
  const asked = Object.entries(options.listeners ?? {})
  const ports = await freePorts(asked.length)
  return asked.map(([name, protocol], index) => ({ name, protocol, port: ports[index]! }))
}

/** Their addresses by name, for clients. */
export function addressesOf(listeners: readonly FurtherListener[]): Record<string, string> {
  return Object.fromEntries(listeners.map(({ name, port }) => [name, `localhost:${port}`]))
}
