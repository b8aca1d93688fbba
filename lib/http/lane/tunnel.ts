/**
 * Passes a client's connection on to Bun's server, byte by byte in both directions, until either of them ends it. The server's side is never paused, since
 * Bun 1.4.5 tells nothing of the end of a socket that is: what the client does not take is held, and no more of its requests are passed on until it does.
 */
import type { Socket } from 'bun'
import type { PassedOn } from '../guard.ts'
import { Outbox } from './outbox.ts'

/** Bun's server, on this machine. */
export interface Behind {
  readonly port: number
  readonly passedOn: PassedOn
}

export class Tunnel {
  readonly #client: Socket<unknown>
  readonly #toClient: Outbox
  #server: Socket<undefined> | undefined
  #toServer: Outbox | undefined
  readonly #behind: Behind
  readonly #isLocal: boolean
  /** Of our connection to the server. */
  #port = 0
  /** Until the server is reached. */
  #early: Uint8Array
  #hasClientEnded = false
  #isClientGone = false
  #isServerGone = false

  /**
   * @param toClient empty
   * @param isLocal the client is on this machine
   * @param received of the client, so far
   */
  constructor(client: Socket<unknown>, toClient: Outbox, behind: Behind, isLocal: boolean, received: Uint8Array) {
    this.#client = client
    this.#toClient = toClient
    this.#behind = behind
    this.#isLocal = isLocal
    this.#early = received
    client.pause()
    void this.#connect(behind.port)
  }

  /** As long as it is, the server decides when the connection has been idle for too long. */
  get hasServer(): boolean {
    return !this.#isServerGone
  }

  received(bytes: Uint8Array): void {
    if (this.#isServerGone) return
    if (this.#toServer === undefined) this.#early = Buffer.concat([this.#early, bytes])
    else if (!this.#toServer.send(bytes)) this.#client.pause()
  }

  /** There is room for more to the client. */
  drained(): void {
    if (!this.#toClient.drain()) return
    if (this.#isServerGone) this.#client.end()
    else this.#readOn()
  }

  /** The client sends no more; the server hears of it once it has all. */
  clientEnded(): void {
    this.#hasClientEnded = true
    if (this.#toServer?.isEmpty) this.#server?.shutdown()
  }

  clientClosed(): void {
    this.#isClientGone = true
    this.#server?.end()
  }

  /** Ends the server's side, answered or not. */
  cut(): void {
    this.#isServerGone = true
    this.#server?.terminate()
  }

  async #connect(port: number): Promise<void> {
    try {
      await Bun.connect<undefined>({
        hostname: '127.0.0.1',
        port,
        socket: {
          open: (server) => this.#reached(server),
          data: (_, bytes) => {
            if (!this.#toClient.send(bytes)) this.#client.pause()
          },
          drain: () => {
            if (this.#toServer?.drain()) this.#serverHasAll()
          },
          close: () => this.#serverClosed(),
          error: (server) => server.terminate(),
        },
      })
    } catch {
      // No descriptor is left, or the server has been stopped.
      this.#isServerGone = true
      this.#client.terminate()
    }
  }

  #reached(server: Socket<undefined>): void {
    if (this.#isClientGone || this.#isServerGone) return void server.end()
    this.#server = server
    this.#port = server.localPort
    this.#behind.passedOn.set(this.#port, this.#isLocal)
    this.#toServer = new Outbox(server)
    if (this.#toServer.send(this.#early)) this.#serverHasAll()
    this.#early = new Uint8Array()
  }

  #serverHasAll(): void {
    this.#readOn()
    if (this.#hasClientEnded) this.#server?.shutdown()
  }

  #readOn(): void {
    if (this.#toClient.isEmpty && this.#toServer?.isEmpty) this.#client.resume()
  }

  #serverClosed(): void {
    this.#isServerGone = true
    this.#behind.passedOn.delete(this.#port)
    // What it still sends is read, and dropped: closed with bytes that nobody has read, it would be reset under its last answer.
    this.#client.resume()
    if (this.#toClient.isEmpty) this.#client.end()
  }
}
