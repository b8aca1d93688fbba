/** Cuts single instances off from Kafka, silently, while others go on: a connection belongs to the client id of its requests. */
import type { ProxiedRequest, ProxiedResponse, TcpProxy, Verdict } from '../kafka/index.ts'

const clientIdAt = 8

export class KafkaCuts {
  readonly #gates = new Map<string, { opened: Promise<void>; open: () => void }>()

  /** A watcher of before is asked for its verdict, too. */
  constructor(proxies: readonly TcpProxy[]) {
    for (const proxy of proxies) {
      const { onRequest, onResponse } = proxy
      /** Connection to client id. */
      const clients = new Map<number, string>()
      proxy.onRequest = (request: ProxiedRequest) => {
        const client = clientOf(request.frame)
        clients.set(request.connection, client)
        return this.#judge(client, () => onRequest?.(request))
      }
      proxy.onResponse = (response: ProxiedResponse) => {
        return this.#judge(clients.get(response.connection) ?? '', () => onResponse?.(response))
      }
    }
  }

  /** @param clientId `client.id` of an instance */
  cut(clientId: string): void {
    if (this.#gates.has(clientId)) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#gates.set(clientId, { opened: promise, open: resolve })
  }

  /** What was held arrives now, as after a partition of a network. */
  heal(clientId: string): void {
    this.#gates.get(clientId)?.open()
    this.#gates.delete(clientId)
  }

  close(): void {
    for (const clientId of this.#gates.keys()) this.heal(clientId)
  }

  #judge(clientId: string, next: () => Verdict | Promise<Verdict>): Verdict | Promise<Verdict> {
    const gate = this.#gates.get(clientId)
    return gate === undefined ? next() : gate.opened.then(() => this.#judge(clientId, next))
  }
}

function clientOf(frame: Buffer): string {
  const bytes = Math.max(frame.readInt16BE(clientIdAt), 0)
  return frame.toString('utf8', clientIdAt + 2, clientIdAt + 2 + bytes)
}
