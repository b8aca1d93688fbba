/** Passes a client's connection on to Bun's server, byte by byte in both directions, until either of them ends it. */
import type { Socket } from 'bun'
import { Outbox } from './outbox.ts'

export class Tunnel {
  readonly #client: Socket<unknown>
  readonly #toClient: Outbox
  #server: Socket<undefined> | undefined
  #toServer: Outbox | undefined
  /** Until the server is reached. */
  #early: Uint8Array
  #hasClientEnded = false
  #isClientGone = false
  #isServerGone = false

  /**
   * @param toClient empty
   * @param server path of its Unix socket
   * @param received of the client, so far
   */
  constructor(client: Socket<unknown>, toClient: Outbox, server: string, received: Uint8Array) {
    this.#client = client
    this.#toClient = toClient
    this.#early = received
    client.pause()
    void this.#connect(server)
  }

  /** As long as it is, the server decides when the connection has been idle for too long. */
  get hasServer(): boolean {
    return !this.#isServerGone
  }

  received(bytes: Uint8Array): void {
    if (this.#toServer === undefined) this.#early = Buffer.concat([this.#early, bytes])
    else if (!this.#toServer.send(bytes)) this.#client.pause()
  }

  /** There is room for more to the client. */
  drained(): void {
    if (!this.#toClient.drain()) return
    if (this.#isServerGone) this.#client.end()
    else this.#server?.resume()
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

  async #connect(unix: string): Promise<void> {
    try {
      await Bun.connect<undefined>({
        unix,
        socket: {
          open: (server) => this.#reached(server),
          data: (server, bytes) => {
            if (!this.#toClient.send(bytes)) server.pause()
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
    if (this.#isClientGone) return void server.end()
    this.#server = server
    this.#toServer = new Outbox(server)
    if (this.#toServer.send(this.#early)) this.#serverHasAll()
    this.#early = new Uint8Array()
  }

  #serverHasAll(): void {
    this.#client.resume()
    if (this.#hasClientEnded) this.#server?.shutdown()
  }

  #serverClosed(): void {
    this.#isServerGone = true
    if (this.#toClient.isEmpty) this.#client.end()
  }
}
