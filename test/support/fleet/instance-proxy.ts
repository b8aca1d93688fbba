import { connect, createServer, type Server, type Socket } from 'node:net'

interface Pair {
  client: Socket
  instance: Socket
}

/**
 * Stands before the HTTP port of an instance and does what networks do. It knows nothing of what passes, and its URL stays while the
 * instance ends and starts again on another port.
 */
export class InstanceProxy {
  readonly url: string
  readonly #port: number
  readonly #target: () => number | undefined
  readonly #pairs = new Set<Pair>()
  #server: Server | undefined
  #isHeld = false

  /** @param target port of the instance now; undefined while it has none */
  static async listen(target: () => number | undefined): Promise<InstanceProxy> {
    const server = createServer()
    await listening(server, 0)
    return new InstanceProxy(target, server)
  }

  private constructor(target: () => number | undefined, server: Server) {
    this.#target = target
    this.#port = (server.address() as { port: number }).port
    this.url = `http://127.0.0.1:${this.#port}`
    this.#serve(server)
  }

  /** Nothing passes, in either direction; connections stay, and new ones are accepted and silent. */
  hold(): void {
    this.#isHeld = true
    for (const { client, instance } of this.#pairs) {
      client.pause()
      instance.pause()
    }
  }

  /** What was held passes, and all that follows. */
  release(): void {
    this.#isHeld = false
    for (const { client, instance } of this.#pairs) {
      client.resume()
      instance.resume()
    }
  }

  /** All connections end, without more. */
  cut(): void {
    for (const { client, instance } of this.#pairs) {
      client.destroy()
      instance.destroy()
    }
    this.#pairs.clear()
  }

  /** New connections are refused until `accept`. */
  refuse(): void {
    this.#server?.close()
    this.#server = undefined
  }

  async accept(): Promise<void> {
    if (this.#server !== undefined) return
    const server = createServer()
    await listening(server, this.#port)
    this.#serve(server)
  }

  close(): void {
    this.refuse()
    this.cut()
  }

  #serve(server: Server): void {
    server.on('connection', (client) => this.#connect(client))
    this.#server = server
  }

  #connect(client: Socket): void {
    const port = this.#target()
    client.on('error', () => {}) // 'close' follows
    if (port === undefined) return void client.resetAndDestroy()
    const instance = connect(port, '127.0.0.1')
    const pair = { client, instance }
    this.#pairs.add(pair)
    for (const socket of [client, instance]) socket.setNoDelay(true)
    instance.on('error', () => {})
    carry(client, instance)
    carry(instance, client)
    const end = (other: Socket) => {
      this.#pairs.delete(pair)
      other.destroy()
    }
    client.on('close', () => end(instance))
    instance.on('close', () => end(client))
    if (this.#isHeld) {
      client.pause()
      instance.pause()
    }
  }
}

function carry(from: Socket, to: Socket): void {
  from.on('data', (chunk: Buffer) => {
    if (to.write(chunk)) return
    from.pause()
    to.once('drain', () => from.resume())
  })
  from.on('end', () => to.end())
}

function listening(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject)
      resolve()
    })
  })
}
