import { startTimeoutMs } from '../broker.ts'
import type { LocalNode } from '../local-node.ts'
import { waitUntilReady } from '../ready.ts'
import type { TcpProxy } from '../tcp-proxy.ts'

/** One broker of a cluster. */
export class ClusterBroker {
  readonly id: number
  /** host:port that passes no proxy. */
  readonly direct: string
  /** Stands between the broker and those clients that came through `KafkaCluster.proxied`. */
  readonly proxy: TcpProxy
  readonly #node: LocalNode

  constructor(id: number, direct: string, proxy: TcpProxy, node: LocalNode) {
    this.id = id
    this.direct = direct
    this.proxy = proxy
    this.#node = node
  }

  get isUp(): boolean {
    return this.#node.pid !== undefined
  }

  /** Up and not stopped by SIGSTOP. */
  get isAwake(): boolean {
    return this.isUp && !this.#node.isPaused
  }

  /** Folder of the log segments. */
  get logDir(): string {
    return this.#node.logDir
  }

  /** Runs it again on the same ports with the same data; resolves when it takes part in the cluster. */
  async start(): Promise<void> {
    const { ended } = await this.#node.start()
    await waitUntilReady(this.direct, startTimeoutMs, ended)
  }

  /** Ends it gracefully: its leaders move first. */
  stop(): Promise<void> {
    return this.#node.stop()
  }

  /** Ends it at once, as kill -9. */
  kill(): Promise<void> {
    return this.#node.kill()
  }

  /** SIGSTOP: its connections stay and nothing answers. */
  pause(): void {
    this.#node.pause()
  }

  /** SIGCONT; harmless where it is not paused. */
  resume(): void {
    this.#node.resume()
  }

  /** Its proxy lets everything pass, and nobody watches it. */
  async letPass(): Promise<void> {
    this.proxy.onRequest = undefined
    this.proxy.onResponse = undefined
    this.proxy.release()
    for (const direction of ['requests', 'responses'] as const) this.proxy.delay(direction, 0)
    await this.proxy.accept()
  }

  /** Runs, whatever was done to it. */
  async revive(): Promise<void> {
    this.resume()
    if (!this.isUp) await this.start()
  }

  async close(): Promise<void> {
    await this.#node.close()
    await this.proxy.close()
  }
}
