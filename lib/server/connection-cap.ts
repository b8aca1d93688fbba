/**
 * A bound on connections. Without one, whoever opens enough of them takes every descriptor of the process: Kafka cannot be connected to any
 * more, and Bun's accept loop spins. Bun has no such bound, so connections are counted ten times a second, and those beyond it are
 * shut down, the latest first. Between two counts there may be more.
 */
import { closeSync, openSync } from 'node:fs'
import { loggerOf, RepeatedLog } from '../log/index.ts'
import { openDescriptors } from './descriptors.ts'
import { type ExcessLog } from './excess-log.ts'
import { canSteerSockets, descriptors, isConnectionAt, shutDown } from '../linux/sockets.ts'

const countIntervalMs = 100
/** Counting may take a twentieth of this thread's time, no more. */
const restFactor = 20
/** Descriptors that connections never take, whatever else the process has open; a quarter of the limit where that is less. */
const freeMin = 32

const repeatedLog = new RepeatedLog(loggerOf('http'))

export interface ConnectionCapOptions {
  /** Where the connections come in. */
  port: number
  connectionsMax: number
  /** Infinity where there is none. */
  descriptorLimit: number
  excess: ExcessLog
}

export class ConnectionCap implements Disposable {
  readonly #port: number
  readonly #connectionsMax: number
  readonly #descriptorsMax: number
  readonly #timer: Timer | undefined
  readonly #excess: ExcessLog
  #restUntil = 0
  /** Held so that, when all are taken, there is one to look at the others with. */
  #spare = -1

  constructor({ port, connectionsMax, descriptorLimit, excess }: ConnectionCapOptions) {
    this.#port = port
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
    // There are no more connections than descriptors: mostly this is all.
    if (countOpen() > Math.min(this.#connectionsMax, this.#descriptorsMax)) this.#closeExcess()
    this.#excess.report()
    const now = performance.now()
    this.#restUntil = now + (now - startedAt) * restFactor
  }

  #closeExcess(): void {
    this.#closeSpare()
    try {
      const open = descriptors()
      const connections = open.filter((descriptor) => isConnectionAt(this.#port, descriptor))
      const excess = Math.max(connections.length - this.#connectionsMax, open.length - this.#descriptorsMax)
      if (excess <= 0) return
      const closed = connections.slice(-excess)
      for (const descriptor of closed) shutDown(descriptor)
      this.#excess.closed(closed.length, connections.length - closed.length)
    } catch (thrown) {
      // Another thread took the descriptor that was spare. The next count tries again.
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

/** Infinity where none is left to count with. */
function countOpen(): number {
  try {
    return openDescriptors()
  } catch {
    return Infinity
  }
}

/** -1 where none is left. */
function openSpare(): number {
  try {
    return openSync('/dev/null', 'r')
  } catch {
    return -1
  }
}
