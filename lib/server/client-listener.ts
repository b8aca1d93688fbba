/**
 * Listens at a port and keeps the connections of its clients, for HTTP and for the Redis protocol: from the accepted
 * socket, over its TLS handshake and the bound on connections, to the end. What a connection does with bytes is its own.
 */
import type { Socket, SocketHandler } from 'bun'
import type { TlsPair } from '../config/tls-pair.ts'
import { messageOf } from '../errors.ts'
import { loggerOf, RepeatedLog } from '../log/index.ts'
import type { ExcessLog } from './excess-log.ts'
import { type Handshake, Handshakes } from './handshakes.ts'
import { leavingSeconds } from './leaving.ts'
import type { OpenConnections } from './open-connections.ts'
import { PortListeners, type PortOptions } from './port-listeners.ts'

const tickMs = 1_000
/** Time for a TLS handshake; the same as for a head of HTTP. */
const handshakeTicks = 10

/** A client's connection, in the calls of its socket and of its listener. */
export interface ListenedConnection {
  received(bytes: Buffer): void
  /** The client has taken some of the waiting bytes. */
  drained(): void
  /** The client sends nothing more. */
  ended(): void
  /** @param error what ended the socket, if any */
  closed(error?: unknown): void
  /** Ends the connection after the answers in progress. */
  finish(): void
  /**
   * Ends the connection soon: another token is required than before.
   * @returns false if it may stay
   */
  leave(): boolean
  /** Ends the connection if it makes no progress. Called once a second. */
  expire(idleTicks: number): void
}

/** What differs between the protocols. */
export interface ClientProtocol<Connection extends ListenedConnection> {
  /** Name of the log. */
  readonly log: string
  /** What an error of a connection concerns, for the log. */
  readonly attempted: string
  /** Received bytes are a plain Uint8Array: views of it cost less than those of a Buffer. */
  readonly hasPlainBytes?: boolean
  /** Makes the connection of a socket, whose handshake is done. */
  connect(socket: Socket<unknown>): Connection
  /** A socket was accepted, or closed again. */
  accepted?(socket: Socket<unknown>): void
  released?(): void
  /** Closes a socket beyond the maximum. */
  refuse(socket: Socket<unknown>, open: number, isSecure: boolean): void
  /** @returns the client, for handshakeFailed */
  handshakeBegun?(socket: Socket<unknown>): string | undefined
  handshakeFailed?(handshake: Handshake, error: unknown): void
  /**
   * Called once a second, before the connections expire.
   * @param ticks seconds since the start, roughly
   */
  tick(ticks: number): void
}

export interface ClientListenerOptions extends PortOptions {
  /** Connections beyond the maximum are refused. */
  connectionsMax: number
  /** Those of all listeners of this thread. */
  connections: OpenConnections
  excess: ExcessLog
  /** Time after which a connection is idle for too long, in seconds; absent if it may stay. */
  idleTicks?: number
}

export class ClientListener<Connection extends ListenedConnection> {
  readonly port: number
  #ticks = 0
  readonly #protocol: ClientProtocol<Connection>
  readonly #options: ClientListenerOptions
  readonly #listeners: PortListeners<Connection>
  readonly #handshakes = new Handshakes()
  /** Each with its connection. */
  readonly #sockets = new Set<Socket<Connection>>()
  /** Sockets that are closed at a tick, if they are still open then. */
  readonly #leaving = new Map<Socket<Connection>, number>()
  readonly #repeatedLog: RepeatedLog
  readonly #timer: Timer
  readonly #emptied = Promise.withResolvers<void>()
  #isStopping = false

  /** @throws what Bun.listen throws */
  constructor(protocol: ClientProtocol<Connection>, options: ClientListenerOptions) {
    this.#protocol = protocol
    this.#options = options
    this.#repeatedLog = new RepeatedLog(loggerOf(protocol.log))
    const { bind, port, tls, isShared } = options
    this.#listeners = new PortListeners({ bind, port, tls, isShared }, this.#handler(tls !== undefined))
    this.port = this.#listeners.port
    this.#timer = setInterval(() => this.#tick(), tickMs)
    this.#timer.unref()
  }

  /**
   * New connections get this certificate; open connections keep theirs.
   * @throws what Bun.listen throws; then nothing has changed
   */
  renewTls(tls: TlsPair): void {
    this.#listeners.renewTls(tls)
  }

  /** Another token is required: the connections end soon, at the latest after leavingSeconds. */
  tokenReplaced(): void {
    for (const socket of this.#sockets) {
      if (socket.data.leave() && !this.#leaving.has(socket)) this.#leaving.set(socket, this.#ticks + leavingSeconds)
    }
  }

  /** Accepts no new connection, and ends idle ones. Resolves when the answers in progress were sent. */
  async stop(): Promise<void> {
    this.#isStopping = true
    this.#listeners.stop()
    for (const { data } of this.#sockets) data.finish()
    this.#checkEmptied()
    await this.#emptied.promise
  }

  /** Closes the remaining connections. */
  destroy(): void {
    clearInterval(this.#timer)
    this.#listeners.stop()
    this.#handshakes.destroy()
    for (const socket of this.#sockets) socket.terminate()
  }

  #handler(isSecure: boolean): SocketHandler<Connection> {
    const handler: SocketHandler<Connection> = {
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
        if ((error as NodeJS.ErrnoException).code !== 'EPROTO') this.#logError(error)
        socket.terminate()
      },
    }
    return this.#protocol.hasPlainBytes === true ? plainBytes(handler) : handler
  }

  #logError(thrown: unknown): void {
    const message = `${this.#protocol.attempted}: {error}`
    this.#repeatedLog.log('error', 'connection', message, { error: messageOf(thrown) })
  }

  #opened(socket: Socket<Connection>, isSecure: boolean): void {
    const { connections, connectionsMax, excess } = this.#options
    const { count } = connections
    if (count >= connectionsMax) {
      excess.closed(1, count)
      this.#protocol.refuse(socket, count, isSecure)
      return
    }
    connections.count++
    this.#protocol.accepted?.(socket)
    if (isSecure) this.#handshakes.begin(socket, this.#ticks, this.#protocol.handshakeBegun?.(socket))
    else this.#begin(socket)
  }

  #begin(socket: Socket<Connection>): void {
    socket.data = this.#protocol.connect(socket)
    this.#sockets.add(socket)
  }

  #closed(socket: Socket<Connection>, error: unknown): void {
    const isBegun = this.#sockets.delete(socket)
    this.#leaving.delete(socket)
    const handshake = isBegun ? undefined : this.#handshakes.end(socket)
    if (isBegun || handshake) {
      this.#options.connections.count--
      this.#protocol.released?.()
    }
    if (isBegun) socket.data.closed(error)
    if (handshake) this.#protocol.handshakeFailed?.(handshake, error)
    this.#checkEmptied()
  }

  #checkEmptied(): void {
    if (this.#isStopping && this.#sockets.size + this.#handshakes.size === 0) this.#emptied.resolve()
  }

  #tick(): void {
    const { idleTicks = Infinity } = this.#options
    this.#ticks++
    this.#protocol.tick(this.#ticks)
    this.#handshakes.expire(this.#ticks, Math.min(idleTicks, handshakeTicks))
    for (const [socket, lastTick] of this.#leaving) if (this.#ticks >= lastTick) socket.terminate()
    for (const { data } of this.#sockets) {
      // A connection whose handshake was in progress at the stop has had time for a request.
      if (this.#isStopping) data.finish()
      data.expire(idleTicks)
    }
  }
}

/** Bun calls `data` with a Uint8Array then, as its declarations have it only for a handler of that type. */
function plainBytes<Data>(handler: SocketHandler<Data>): SocketHandler<Data> {
  return { ...handler, binaryType: 'uint8array' } as unknown as SocketHandler<Data>
}
