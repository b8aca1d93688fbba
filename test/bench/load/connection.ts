/** One HTTP request at a time over a raw socket, on the calling thread alone: fetch() has another one, and waits for it. */

/** Whether the whole response is there: its head, and as many bytes as Content-Length says. */
export function isWhole(received: string): boolean {
  const headEnd = received.indexOf('\r\n\r\n')
  if (headEnd < 0) return false
  const at = received.toLowerCase().indexOf('content-length: ')
  return received.length >= headEnd + 4 + Number.parseInt(received.slice(at + 16, at + 28), 10)
}

export class Connection {
  readonly #socket: Bun.Socket
  #received = ''
  #answered: PromiseWithResolvers<number> | undefined

  static async open(url: string): Promise<Connection> {
    const { hostname, port } = new URL(url)
    const opened = Promise.withResolvers<Connection>()
    await Bun.connect({
      hostname,
      port: Number(port),
      socket: {
        open: (socket) => opened.resolve(new Connection(socket)),
        data: async (_, chunk) => (await opened.promise).#take(chunk),
        close: async () => (await opened.promise).#answered?.reject(new Error(`${url} closed the connection`)),
      },
    })
    return opened.promise
  }

  private constructor(socket: Bun.Socket) {
    this.#socket = socket
  }

  /** Milliseconds until the complete answer has arrived, with any status. */
  async waitFor(path: string): Promise<number> {
    this.#answered = Promise.withResolvers()
    const askedAt = performance.now()
    this.#socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`)
    return (await this.#answered.promise) - askedAt
  }

  #take(chunk: Buffer): void {
    this.#received += chunk.toString('latin1')
    if (!isWhole(this.#received)) return
    this.#received = ''
    this.#answered?.resolve(performance.now())
  }
}
