/**
 * Requests that a store holds, one a connection: thousands of them, on raw sockets of this process. Each is woken by its
 * own key.
 */

/** Connections that are opened at the same time. */
const openingMax = 200

export type HeldKind = 'followers' | 'waiters'

interface Held {
  key: string
  /** What of the response to the request is there before anything changes. */
  isHeld: boolean
  received: string
  woken: PromiseWithResolvers<number> | undefined
}

export class HeldRequests implements Disposable {
  readonly #kind: HeldKind
  readonly #byKey = new Map<string, Bun.Socket<Held>>()
  #closed = 0

  /** @param path of the collection, `/stores/<id>` */
  static async open(kind: HeldKind, url: string, path: string, keys: readonly string[]): Promise<HeldRequests> {
    const requests = new HeldRequests(kind)
    for (let from = 0; from < keys.length; from += openingMax) {
      await Promise.all(keys.slice(from, from + openingMax).map((key) => requests.#open(url, path, key)))
    }
    return requests
  }

  private constructor(kind: HeldKind) {
    this.#kind = kind
  }

  /** Resolves with the time, by performance.now(), at which what was written to a key has arrived. */
  woken(key: string): Promise<number> {
    const { data } = this.#byKey.get(key)!
    data.received = ''
    data.woken = Promise.withResolvers()
    return data.woken.promise
  }

  /** Connections that the store has closed. */
  get closed(): number {
    return this.#closed
  }

  [Symbol.dispose](): void {
    for (const socket of this.#byKey.values()) socket.terminate()
    this.#byKey.clear()
  }

  async #open(url: string, path: string, key: string): Promise<void> {
    const { hostname, port } = new URL(url)
    const begun = Promise.withResolvers<void>()
    const isStream = this.#kind === 'followers'
    const request = isStream
      ? `GET ${path.replace('/stores/', '/changes/')}?keys=${key} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n`
      : `GET ${path}/${key} HTTP/1.1\r\nHost: 127.0.0.1\r\nPrefer: wait=60\r\n\r\n`
    const socket = await Bun.connect<Held>({
      hostname,
      port: Number(port),
      data: { key, isHeld: false, received: '', woken: undefined },
      socket: {
        data: ({ data }, chunk) => {
          data.received += chunk.toString('latin1')
          if (!data.isHeld && data.received.includes('\nid: ')) {
            data.isHeld = true
            begun.resolve()
          } else if (data.received.includes('"woken"')) {
            data.woken?.resolve(performance.now())
            data.received = ''
          }
        },
        close: () => {
          this.#closed++
          begun.reject(new Error(`${url} closed a connection of ${this.#kind}`))
        },
      },
    })
    this.#byKey.set(key, socket)
    socket.write(request)
    // What a waiting request does not say: the store is asked how many it holds.
    if (isStream) await begun.promise
    else begun.promise.catch(() => {})
  }
}
