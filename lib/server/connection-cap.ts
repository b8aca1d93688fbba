/**
 * Bound on connections. Without a bound, clients can take every descriptor of the process: then no connection to Kafka
 * can be opened, and Bun's accept loop spins. Bun has no such bound. This class counts connections ten times a second
 * and shuts down those beyond the bound, the latest first. Between two counts there may be more.
 */
import { closeSync, openSync } from 'node:fs'
import { canSteerSockets, descriptors, isConnectionAt, shutDown } from '../linux/sockets.ts'
import { loggerOf, RepeatedLog } from '../log/index.ts'
import { openDescriptors } from './descriptors.ts'
import type { ExcessLog } from './excess-log.ts'

const countIntervalMs = 100
/** Counting takes at most a twentieth of this thread's time. */
const restFactor = 20
/**
 * Number of descriptors that connections never take, independent of what else the process has open. A quarter of the
 * limit if that is less.
 */
const freeMin = 32

const repeatedLog = new RepeatedLog(loggerOf('http'))

export interface ConnectionCapOptions {
  /** Ports where clients connect. */
  ports: readonly number[]
  connectionsMax: number
  /** Infinity without a limit. */
  descriptorLimit: number
  excess: ExcessLog
}

export class ConnectionCap implements Disposable {
  readonly #ports: readonly number[]
  readonly #connectionsMax: number
  readonly #descriptorsMax: number
  readonly #timer: Timer | undefined
  readonly #excess: ExcessLog
  #restUntil = 0
  /** A descriptor held in reserve: with all others taken, it is closed to read the list of descriptors. */
  #spare = -1

  constructor({ ports, connectionsMax, descriptorLimit, excess }: ConnectionCapOptions) {
    this.#ports = ports
    this.#excess = excess
    this.#connectionsMax = connectionsMax
    this.#descriptorsMax = descriptorLimit - Math.min(freeMin, Math.floor(descriptorLimit / 4))
    if (!canSteerSockets) return
    this.#spare = openSpare()
    this.#timer = setInterval(() => this.#tick(), countIntervalMs)
    this.#timer.unref()
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    this.#closeSpare()
  }

  #tick(): void {
    const startedAt = performance.now()
    if (startedAt < this.#restUntil) return
    // There are never more connections than descriptors, so usually this count is enough.
    if (countOpen() > Math.min(this.#connectionsMax, this.#descriptorsMax)) this.#closeExcess()
    this.#excess.report()
    const now = performance.now()
    this.#restUntil = now + (now - startedAt) * restFactor
  }

  #closeExcess(): void {
    this.#closeSpare()
    try {
      const open = descriptors()
      const connections = open.filter((one) => this.#ports.some((port) => isConnectionAt(port, one)))
      const excess = Math.max(connections.length - this.#connectionsMax, open.length - this.#descriptorsMax)
      if (excess <= 0) return
      const closed = connections.slice(-excess)
      for (const descriptor of closed) shutDown(descriptor)
      this.#excess.closed(closed.length, connections.length - closed.length)
    } catch (thrown) {
      // Another thread took the reserved descriptor. The next count tries again.
      repeatedLog.log('warning', 'count', 'Counting connections: {error}', { error: String(thrown) })
    } finally {
      this.#spare = openSpare()
    }
  }

  #closeSpare(): void {
    if (this.#spare >= 0) closeSync(this.#spare)
    this.#spare = -1
  }
}

/** Infinity if no descriptor is left for counting. */
function countOpen(): number {
  try {
    return openDescriptors()
  } catch {
    return Infinity
  }
}

/** Returns -1 if no descriptor is left. */
function openSpare(): number {
  try {
    return openSync('/dev/null', 'r')
  } catch {
    return -1
  }
}
