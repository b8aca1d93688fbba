/**
 * Listens for clients of the Redis protocol. Bounds and TLS are those of HTTP, except that idle clients may stay:
 * clients of Redis keep pools of connections and expect that.
 */
import type { Socket } from 'bun'
import type { TlsPair } from '../../config/tls-pair.ts'
import type { RespContext } from '../../resp/index.ts'
import { ClientListener, type ClientListenerOptions, type ClientProtocol } from '../client-listener.ts'
import type { Drainable } from '../drain.ts'
import { HeldAnswers } from '../fast-path/held-answers.ts'
import { RespConnection, type RespHost } from './resp-connection.ts'

/** Finds clients that have vanished while idle. Redis's own value. */
const keepAliveMs = 300_000
const mebibyte = 1_048_576
const refusal = '-ERR max number of clients reached\r\n'

export interface RespServerOptions extends Omit<ClientListenerOptions, 'idleTicks'> {
  context: RespContext
}

export class RespServer implements RespHost, Drainable, ClientProtocol<RespConnection> {
  readonly log = 'resp'
  readonly attempted = 'Answering a command'
  readonly hasPlainBytes = true
  readonly context: RespContext
  readonly held = new HeldAnswers()
  readonly heldCommands = new HeldAnswers({
    bytesMax: 32 * mebibyte,
    burstBytesMax: 64 * mebibyte,
    stalledTicks: 5,
    logged:
      'Reading commands: {mebibytes} MiB wait for their rest or for earlier replies; closed the connection that waited longest',
  })
  /** Seconds since the start, roughly. */
  ticks = 0
  readonly #listener: ClientListener<RespConnection>

  /** @throws what Bun.listen throws */
  constructor({ context, ...options }: RespServerOptions) {
    this.context = context
    this.#listener = new ClientListener<RespConnection>(this, options)
    context.listensAt(this.port)
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

  /** The protocol has no announcement: clients connect again when their connection ends. */
  announceClose(): void {}

  stop(): Promise<void> {
    return this.#listener.stop()
  }

  destroy(): void {
    this.#listener.destroy()
  }

  accepted(socket: Socket<unknown>): void {
    this.context.stats.opened()
    socket.setKeepAlive(true, keepAliveMs)
  }

  released(): void {
    this.context.stats.closed()
  }

  connect(socket: Socket<unknown>): RespConnection {
    return new RespConnection(this, socket)
  }

  refuse(socket: Socket<unknown>, _open: number, isSecure: boolean): void {
    // Before its handshake, a client of TLS could not read the text.
    if (isSecure) socket.terminate()
    else socket.end(refusal)
  }

  tick(ticks: number): void {
    this.ticks = ticks
    this.held.tick()
    this.heldCommands.tick()
  }
}
