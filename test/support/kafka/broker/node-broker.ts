import type { TcpProxy } from '../proxies/tcp-proxy.ts'
import { startTimeoutMs } from './broker.ts'
import type { LocalNode } from './local-node.ts'
import { waitUntilReady } from './ready.ts'

/** A broker that is a process of this machine, with or without a proxy before it. */
export class NodeBroker<Proxy extends TcpProxy | undefined> {
  /** host:port that passes no proxy. */
  readonly direct: string
  readonly proxy: Proxy
  readonly #node: LocalNode

  constructor(node: LocalNode, direct: string, proxy: Proxy) {
    this.#node = node
    this.direct = direct
    this.proxy = proxy
  }

  /** Undefined while it is down. */
  get pid(): number | undefined {
    return this.#node.pid
  }

  get isUp(): boolean {
    return this.pid !== undefined
  }

  /** Up and not stopped by SIGSTOP. */
  get isAwake(): boolean {
    return this.isUp && !this.#node.isPaused
  }

  /** Folder of the log segments. */
  get logDir(): string {
    return this.#node.logDir
  }

  /** Runs it, again on the same ports with the same data; resolves when it takes part in its cluster. */
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

  /** Ends it permanently and removes its data. */
  async close(): Promise<void> {
    await this.#node.close()
    await this.proxy?.close()
  }
}
