/**
 * The fast path: lookups without the cost of a Request and a Response. It listens at the port, parses plain requests,
 * which nearly all are (plain-request.ts), and answers them itself. It passes every other request on to Bun's server
 * behind it. DESIGN.md has reasons and figures.
 */
import type { Socket } from 'bun'
import type { TlsPair } from '../../config/tls-pair.ts'
import type { RequestHandler } from '../../http/answer.ts'
import { Turns } from '../../turns.ts'
import { ClientListener, type ClientListenerOptions, type ClientProtocol } from '../client-listener.ts'
import type { Drainable } from '../drain.ts'
import type { ExcessLog } from '../excess-log.ts'
import type { Handshake } from '../handshakes.ts'
import type { HostRule } from '../host-rule.ts'
import { BodyBudget } from './body-budget.ts'
import { ClientConnection } from './client-connection.ts'
import type { ConnectionHost, Upstream } from './connection-host.ts'
import { handshakeClient, logHandshakeFailed, logRefused } from './connection-log.ts'
import { HeldAnswers } from './held-answers.ts'
import { Slots } from './slots.ts'

export interface FastPathOptions extends Omit<ClientListenerOptions, 'idleTicks'> {
  /** Idle time after which a connection is closed. */
  idleTimeoutSeconds: number
  requestHandler: RequestHandler
  hostRule: HostRule | undefined
  upstream: Upstream
  tunnelsMax: number
  storeId: string
}

export class FastPath implements ConnectionHost, Drainable, ClientProtocol<ClientConnection> {
  readonly log = 'http'
  readonly attempted = 'Answering a request'
  readonly requestHandler: RequestHandler
  readonly hostRule: HostRule | undefined
  readonly upstream: Upstream
  readonly slots: Slots
  readonly storeId: string
  readonly held = new HeldAnswers()
  readonly bodies = new BodyBudget()
  readonly turns = new Turns()
  /** Seconds since the start, roughly. */
  ticks = 0
  /** Current date in HTTP format. */
  date = new Date().toUTCString()
  /** Each response closes its connection. */
  isClosing = false
  readonly #listener: ClientListener<ClientConnection>
  readonly #excess: ExcessLog

  /** @throws what Bun.listen throws */
  constructor(options: FastPathOptions) {
    this.#excess = options.excess
    this.slots = new Slots(options.tunnelsMax)
    this.requestHandler = options.requestHandler
    this.hostRule = options.hostRule
    this.upstream = options.upstream
    this.storeId = options.storeId
    this.#listener = new ClientListener<ClientConnection>(this, { ...options, idleTicks: options.idleTimeoutSeconds })
  }

  get port(): number {
    return this.#listener.port
  }

  /**
   * New connections get this certificate; open connections keep theirs.
   * @throws what Bun.listen throws; then nothing has changed
   */
  renewTls(tls: TlsPair): void {
    this.#listener.renewTls(tls)
  }

  tokenReplaced(): void {
    this.#listener.tokenReplaced()
  }

  announceClose(): void {
    this.isClosing = true
  }

  stop(): Promise<void> {
    return this.#listener.stop()
  }

  destroy(): void {
    this.#listener.destroy()
  }

  connect(socket: Socket<unknown>): ClientConnection {
    return new ClientConnection(this, socket)
  }

  refuse(socket: Socket<unknown>, open: number): void {
    logRefused(socket, open)
    socket.terminate()
  }

  handshakeBegun(socket: Socket<unknown>): string | undefined {
    return handshakeClient(socket)
  }

  handshakeFailed(handshake: Handshake, error: unknown): void {
    logHandshakeFailed(handshake, error)
  }

  tick(ticks: number): void {
    this.ticks = ticks
    this.date = new Date().toUTCString()
    this.#excess.report()
    this.held.tick()
    this.slots.tick()
  }
}
