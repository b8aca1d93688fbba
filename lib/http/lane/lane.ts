/**
 * The lane: lookups without the price of a Request and a Response. It has the port, reads the plain requests that nearly all are (plain-request.ts), and
 * answers them itself; a connection with any other one it passes on, from there to its end, to Bun's server behind it. Why, and what it
 * saves, is in ../DESIGN.md.
 */
import type { Socket, TCPSocketListener } from 'bun'
import { messageOf } from '../../errors.ts'
import { loggerOf, RepeatedLog } from '../../log.ts'
import type { Answerer } from '../answer.ts'
import type { Drainable } from '../drain.ts'
import { ExcessLog } from '../excess-log.ts'
import type { HostRule } from '../host-rule.ts'
import { Connection, type ConnectionHost } from './connection.ts'
import { HeldAnswers } from './held-answers.ts'
import { Slots } from './slots.ts'
import type { Behind } from './tunnel.ts'

const tickMs = 1_000

const repeatedLog = new RepeatedLog(loggerOf('http'))

export interface LaneOptions {
  bind: string
  /** 0 takes any that is free. */
  port: number
  /** Others may listen at the same port. */
  isShared: boolean
  /** After which a connection that waits for its client is closed. */
  idleTimeoutSeconds: number
  answerer: Answerer
  hostRule: HostRule | undefined
  behind: Behind
  /** Connections beyond it are closed at once. */
  connectionsMax: number
  tunnelsMax: number
}

export class Lane implements ConnectionHost, Drainable {
  readonly answerer: Answerer
  readonly hostRule: HostRule | undefined
  readonly behind: Behind
  readonly slots: Slots
  readonly held = new HeldAnswers()
  readonly port: number
  /** Seconds since it began, roughly. */
  ticks = 0
  /** As HTTP has it. */
  date = new Date().toUTCString()
  /** Each answer ends its connection. */
  isClosing = false
  readonly #listener: TCPSocketListener
  readonly #connections = new Set<Connection>()
  readonly #connectionsMax: number
  readonly #excess = new ExcessLog()
  readonly #timer: Timer
  readonly #emptied = Promise.withResolvers<void>()
  #isStopping = false

  /** @throws what Bun.listen throws */
  constructor({ bind, port, isShared, idleTimeoutSeconds, answerer, hostRule, behind, ...bounds }: LaneOptions) {
    this.#connectionsMax = bounds.connectionsMax
    this.slots = new Slots(bounds.tunnelsMax)
    this.answerer = answerer
    this.hostRule = hostRule
    this.behind = behind
    const options = {
      hostname: bind,
      port,
      // Known to Bun 1.4.5, not to its declarations.
      reusePort: isShared,
      // Who sends no more may still wait for answers.
      allowHalfOpen: true,
      socket: {
        open: (socket: Socket<Connection>) => this.#opened(socket),
        data: (socket: Socket<Connection>, bytes: Buffer) => socket.data?.received(bytes),
        drain: (socket: Socket<Connection>) => socket.data?.drained(),
        end: (socket: Socket<Connection>) => socket.data?.ended(),
        close: (socket: Socket<Connection>) => this.#closed(socket.data),
        error: (socket: Socket<Connection>, error: Error) => {
          repeatedLog.log('error', 'lane', 'Answering a request: {error}', { error: messageOf(error) })
          socket.terminate()
        },
      },
    }
    this.#listener = Bun.listen<Connection>(options)
    this.port = this.#listener.port
    this.#timer = setInterval(() => this.#tick(idleTimeoutSeconds * (1_000 / tickMs)), tickMs)
    this.#timer.unref()
  }

  farewell(): void {
    this.isClosing = true
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    this.#listener.stop()
    for (const connection of this.#connections) connection.finish()
    this.#checkEmptied()
    await this.#emptied.promise
  }

  cut(): void {
    clearInterval(this.#timer)
    this.#listener.stop(true)
  }

  #opened(socket: Socket<Connection>): void {
    if (this.#connections.size >= this.#connectionsMax) {
      this.#excess.closed(1)
      socket.terminate()
      return
    }
    const connection = new Connection(this, socket)
    socket.data = connection
    this.#connections.add(connection)
  }

  /** @param connection undefined for one that was closed at once */
  #closed(connection: Connection | undefined): void {
    if (connection === undefined) return
    connection.closed()
    this.#connections.delete(connection)
    this.#checkEmptied()
  }

  #checkEmptied(): void {
    if (this.#isStopping && this.#connections.size === 0) this.#emptied.resolve()
  }

  #tick(idleTicks: number): void {
    this.ticks++
    this.date = new Date().toUTCString()
    this.#excess.report(this.#connections.size)
    this.held.tick()
    for (const connection of this.#connections) connection.expire(idleTicks)
  }
}
