/**
 * Listens for clients of the Redis protocol. Bounds and TLS are those of HTTP, except that idle clients may stay:
 * clients of Redis keep pools of connections and expect that.
 */
import type { Socket, SocketHandler } from 'bun'
import type { TlsPair } from '../../config/tls-pair.ts'
import { messageOf } from '../../errors.ts'
import { loggerOf, RepeatedLog } from '../../log/index.ts'
import type { RespContext } from '../../resp/index.ts'
import type { Drainable } from '../drain.ts'
import type { ExcessLog } from '../excess-log.ts'
import { Handshakes } from '../fast-path/handshakes.ts'
import { HeldAnswers } from '../fast-path/held-answers.ts'
import { PortListeners, type PortOptions } from '../fast-path/port-listeners.ts'
import type { OpenConnections } from '../open-connections.ts'
import { RespConnection, type RespHost } from './resp-connection.ts'

const tickMs = 1_000
const handshakeTicks = 10
/** Finds clients that have vanished while idle. Redis's own value. */
const keepAliveMs = 300_000
const mebibyte = 1_048_576
const refusal = '-ERR max number of clients reached\r\n'

const repeatedLog = new RepeatedLog(loggerOf('resp'))

export interface RespServerOptions extends PortOptions {
  context: RespContext
  /** Connections beyond the maximum are refused. */
  connectionsMax: number
  /** Those of all listeners of this thread. */
  connections: OpenConnections
  excess: ExcessLog
}

export class RespServer implements RespHost, Drainable {
  readonly context: RespContext
  readonly held = new HeldAnswers()
  readonly heldCommands = new HeldAnswers({
    bytesMax: 32 * mebibyte,
    burstBytesMax: 64 * mebibyte,
    stalledTicks: 5,
    logged:
      'Reading commands: {mebibytes} MiB wait for their rest or for earlier replies; closed the connection that waited longest',
  })
  readonly port: number
  /** Seconds since the start, roughly. */
  ticks = 0
  readonly #listeners: PortListeners<RespConnection>
  readonly #handshakes = new Handshakes()
  /** Each with its connection. */
  readonly #sockets = new Set<Socket<RespConnection>>()
  readonly #connectionsMax: number
  readonly #connections: OpenConnections
  readonly #excess: ExcessLog
  readonly #timer: Timer
  readonly #emptied = Promise.withResolvers<void>()
  #isStopping = false

  /** @throws what Bun.listen throws */
  constructor({ context, connectionsMax, connections, excess, bind, port, tls, isShared }: RespServerOptions) {
    this.context = context
    this.#connectionsMax = connectionsMax
    this.#connections = connections
    this.#excess = excess
    const at = { bind, port, tls, isShared }
    this.#listeners = new PortListeners<RespConnection>(at, this.#handler(tls !== undefined))
    this.port = this.#listeners.port
    context.listensAt(this.port)
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

  /** The protocol has no announcement: clients connect again when their connection ends. */
  announceClose(): void {}

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

  #handler(isSecure: boolean): SocketHandler<RespConnection> {
    return {
      // Views of a Uint8Array cost less than those of a Buffer.
      binaryType: 'uint8array',
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
          repeatedLog.log('error', 'resp', 'Answering a command: {error}', { error: messageOf(error) })
        }
        socket.terminate()
      },
    }
  }

  #opened(socket: Socket<RespConnection>, isSecure: boolean): void {
    const { count } = this.#connections
    if (count >= this.#connectionsMax) {
      this.#excess.closed(1, count)
      // Before its handshake, a client of TLS could not read the text.
      if (isSecure) socket.terminate()
      else socket.end(refusal)
      return
    }
    this.#connections.count++
    this.context.stats.opened()
    socket.setKeepAlive(true, keepAliveMs)
    if (isSecure) this.#handshakes.begin(socket, this.ticks)
    else this.#begin(socket)
  }

  #begin(socket: Socket<RespConnection>): void {
    socket.data = new RespConnection(this, socket)
    this.#sockets.add(socket)
  }

  #closed(socket: Socket<RespConnection>, error: unknown): void {
    const isBegun = this.#sockets.delete(socket)
    if (isBegun) socket.data.closed(error)
    if (isBegun || this.#handshakes.end(socket)) {
      this.#connections.count--
      this.context.stats.closed()
    }
    this.#checkEmptied()
  }

  #checkEmptied(): void {
    if (this.#isStopping && this.#sockets.size + this.#handshakes.size === 0) this.#emptied.resolve()
  }

  #tick(): void {
    this.ticks++
    this.held.tick()
    this.heldCommands.tick()
    this.#handshakes.expire(this.ticks, handshakeTicks)
    for (const { data } of this.#sockets) {
      // A connection whose handshake was in progress at the stop has had time for a command.
      if (this.#isStopping) data.finish()
      data.expire()
    }
  }
}
