/**
 * The fast path: lookups without the cost of a Request and a Response. It listens at the port, parses plain requests,
 * which nearly all are (plain-request.ts), and answers them itself. It passes every other request on to Bun's server
 * behind it. DESIGN.md has reasons and figures.
 */
import type { Socket, SocketHandler } from 'bun'
import type { TlsPair } from '../../config/tls-pair.ts'
import { messageOf } from '../../errors.ts'
import type { RequestHandler } from '../../http/answer.ts'
import { loggerOf, RepeatedLog } from '../../log/index.ts'
import { Turns } from '../../turns.ts'
import type { Drainable } from '../drain.ts'
import type { ExcessLog } from '../excess-log.ts'
import type { HostRule } from '../host-rule.ts'
import type { OpenConnections } from '../open-connections.ts'
import { BodyBudget } from './body-budget.ts'
import { ClientConnection } from './client-connection.ts'
import type { ConnectionHost, Upstream } from './connection-host.ts'
import { handshakeClient, logHandshakeFailed, logRefused } from './connection-log.ts'
import { Handshakes } from './handshakes.ts'
import { HeldAnswers } from './held-answers.ts'
import { PortListeners, type PortOptions } from './port-listeners.ts'
import { Slots } from './slots.ts'

const tickMs = 1_000
/** Time for a TLS handshake; the same as for a head. */
const handshakeTicks = 10

const repeatedLog = new RepeatedLog(loggerOf('http'))

export interface FastPathOptions extends PortOptions {
  /** Idle time after which a connection is closed. */
  idleTimeoutSeconds: number
  requestHandler: RequestHandler
  hostRule: HostRule | undefined
  upstream: Upstream
  /** Connections beyond the maximum are closed at once. */
  connectionsMax: number
  /** Those of all listeners of this thread. */
  connections: OpenConnections
  tunnelsMax: number
  excess: ExcessLog
  storeId: string
}

export class FastPath implements ConnectionHost, Drainable {
  readonly requestHandler: RequestHandler
  readonly hostRule: HostRule | undefined
  readonly upstream: Upstream
  readonly slots: Slots
  readonly storeId: string
  readonly held = new HeldAnswers()
  readonly bodies = new BodyBudget()
  readonly turns = new Turns()
  readonly port: number
  /** Seconds since the start, roughly. */
  ticks = 0
  /** Current date in HTTP format. */
  date = new Date().toUTCString()
  /** Each response closes its connection. */
  isClosing = false
  readonly #listeners: PortListeners<ClientConnection>
  readonly #handshakes = new Handshakes()
  /** Each with its connection. */
  readonly #sockets = new Set<Socket<ClientConnection>>()
  readonly #connectionsMax: number
  readonly #connections: OpenConnections
  readonly #excess: ExcessLog
  readonly #timer: Timer
  readonly #emptied = Promise.withResolvers<void>()
  #isStopping = false

  /** @throws what Bun.listen throws */
  constructor(options: FastPathOptions) {
    this.#connectionsMax = options.connectionsMax
    this.#connections = options.connections
    this.#excess = options.excess
    this.slots = new Slots(options.tunnelsMax)
    this.requestHandler = options.requestHandler
    this.hostRule = options.hostRule
    this.upstream = options.upstream
    this.storeId = options.storeId
    const { bind, port, tls, isShared } = options
    this.#listeners = new PortListeners<ClientConnection>(
      { bind, port, tls, isShared },
      this.#handler(tls !== undefined),
    )
    this.port = this.#listeners.port
    this.#timer = setInterval(() => this.#tick(options.idleTimeoutSeconds * (1_000 / tickMs)), tickMs)
    this.#timer.unref()
  }

  /**
   * New connections get this certificate; open connections keep theirs.
   * @throws what Bun.listen throws; then nothing has changed
   */
  renewTls(tls: TlsPair): void {
    this.#listeners.renewTls(tls)
  }

  announceClose(): void {
    this.isClosing = true
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    this.#listeners.stop()
    for (const { data } of this.#sockets) data.finish()
    this.#checkEmptied()
    await this.#emptied.promise
  }

  destroy(): void {
    clearInterval(this.#timer)
    this.#listeners.stop()
    this.#handshakes.destroy()
    for (const socket of this.#sockets) socket.terminate()
  }

  #handler(isSecure: boolean): SocketHandler<ClientConnection> {
    return {
      open: (socket) => this.#opened(socket, isSecure),
      handshake: (socket, isDone) => {
        if (isDone && this.#handshakes.end(socket)) this.#begin(socket)
      },
      data: (socket, bytes) => socket.data?.received(bytes),
      drain: (socket) => socket.data?.drained(),
      end: (socket) => socket.data?.ended(),
      close: (socket, error) => this.#closed(socket, error),
      error: (socket, error) => {
        // EPROTO is a fault of the client: it sent bytes that are not TLS, or that cannot be decrypted.
        if ((error as NodeJS.ErrnoException).code !== 'EPROTO') {
          repeatedLog.log('error', 'fast-path', 'Answering a request: {error}', { error: messageOf(error) })
        }
        socket.terminate()
      },
    }
  }

  #opened(socket: Socket<ClientConnection>, isSecure: boolean): void {
    const { count } = this.#connections
    if (count >= this.#connectionsMax) {
      this.#excess.closed(1, count)
      logRefused(socket, count)
      socket.terminate()
      return
    }
    this.#connections.count++
    if (isSecure) this.#handshakes.begin(socket, this.ticks, handshakeClient(socket))
    else this.#begin(socket)
  }

  #begin(socket: Socket<ClientConnection>): void {
    socket.data = new ClientConnection(this, socket)
    this.#sockets.add(socket)
  }

  #closed(socket: Socket<ClientConnection>, error: unknown): void {
    if (this.#sockets.delete(socket)) {
      this.#connections.count--
      socket.data.closed(error)
    } else {
      const handshake = this.#handshakes.end(socket)
      if (handshake !== undefined) {
        this.#connections.count--
        logHandshakeFailed(handshake, error)
      }
    }
    this.#checkEmptied()
  }

  #checkEmptied(): void {
    if (this.#isStopping && this.#sockets.size + this.#handshakes.size === 0) this.#emptied.resolve()
  }

  #tick(idleTicks: number): void {
    this.ticks++
    this.date = new Date().toUTCString()
    this.#excess.report()
    this.held.tick()
    this.slots.tick()
    this.#handshakes.expire(this.ticks, Math.min(idleTicks, handshakeTicks))
    for (const { data } of this.#sockets) {
      // A connection whose handshake was in progress at the stop has had time for a request.
      if (this.#isStopping) data.finish()
      data.expire(idleTicks)
    }
  }
}
