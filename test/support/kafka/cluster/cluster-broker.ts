import type { LocalNode } from '../broker/local-node.ts'
import { NodeBroker } from '../broker/node-broker.ts'
import type { TcpProxy } from '../proxies/tcp-proxy.ts'

/** One broker of a cluster. Its proxy stands between it and those clients that came through `proxiedPort`. */
export class ClusterBroker extends NodeBroker<TcpProxy> {
  readonly id: number

  constructor(id: number, node: LocalNode, direct: string, proxy: TcpProxy) {
    super(node, direct, proxy)
    this.id = id
  }

  /** Its proxy lets everything pass, and nothing watches it. */
  async letPass(): Promise<void> {
    this.proxy.onRequest = undefined
    this.proxy.onResponse = undefined
    this.proxy.release()
    for (const direction of ['requests', 'responses'] as const) this.proxy.delay(direction, 0)
    await this.proxy.accept()
  }

  /** Runs again after any fault. */
  async revive(): Promise<void> {
    this.resume()
    if (!this.isUp) await this.start()
  }
}
