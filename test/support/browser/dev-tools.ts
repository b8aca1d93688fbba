/** Messages of the DevTools protocol over one WebSocket, for several pages. */

type Result = Record<string, unknown>
type Listener = (method: string, params: Result) => void

export class DevTools {
  readonly #socket: WebSocket
  readonly #waiting = new Map<number, { resolve: (result: Result) => void; reject: (error: Error) => void }>()
  readonly #listeners = new Map<string, Listener>()
  #last = 0

  private constructor(socket: WebSocket) {
    this.#socket = socket
    socket.addEventListener('message', ({ data }) => this.#receive(JSON.parse(String(data)) as Received))
    socket.addEventListener('close', () => {
      for (const { reject } of this.#waiting.values()) {
        reject(new Error('ask the browser: it has closed the connection'))
      }
      this.#waiting.clear()
    })
  }

  static async connect(url: string): Promise<DevTools> {
    const socket = new WebSocket(url)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    socket.addEventListener('open', () => resolve())
    socket.addEventListener('error', () => reject(new Error(`connect to the browser: ${url} does not answer`)))
    await promise
    return new DevTools(socket)
  }

  /** @param session of a page; absent for the browser itself */
  send<T = Result>(method: string, params: Result = {}, session?: string): Promise<T> {
    const id = ++this.#last
    const { promise, resolve, reject } = Promise.withResolvers<Result>()
    this.#waiting.set(id, { resolve, reject })
    this.#socket.send(JSON.stringify({ id, method, params, ...(session && { sessionId: session }) }))
    return promise as Promise<T>
  }

  /** Calls `listener` for the events of a page. */
  listen(session: string, listener: Listener): void {
    this.#listeners.set(session, listener)
  }

  #receive({ id, result, error, method, params, sessionId }: Received): void {
    if (id === undefined) {
      if (method !== undefined && sessionId !== undefined) this.#listeners.get(sessionId)?.(method, params ?? {})
      return
    }
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (error) waiting?.reject(new Error(`ask the browser: ${error.message}`))
    else waiting?.resolve(result ?? {})
  }
}

interface Received {
  id?: number
  result?: Result
  error?: { message: string }
  method?: string
  params?: Result
  sessionId?: string
}
