import { type KafkaBroker, type StartOptions, type ToolResult, startTimeoutMs } from './broker.ts'
import { addressesOf, type FurtherListener, furtherListeners } from './further-listeners.ts'
import { type Jars, kafkaJars } from './jars.ts'
import { runTool } from './java.ts'
import { LocalNode } from './local-node.ts'
import { freePorts } from './ports.ts'
import { waitUntilReady } from './ready.ts'
import { serverProperties } from './server-properties.ts'
import { TcpProxy } from './tcp-proxy.ts'

/** Another process may take a port between our look and Kafka's bind. */
const portTries = 3

/** Apache Kafka on this machine's Java. */
export class LocalBroker implements KafkaBroker {
  readonly bootstrap: string
  readonly direct: string
  readonly listeners: Readonly<Record<string, string>>
  readonly proxy: TcpProxy | undefined
  readonly #node: LocalNode
  readonly #jars: Jars

  static async start(options: StartOptions = {}): Promise<LocalBroker> {
    const jars = await kafkaJars()
    for (let tries = 1; ; tries++) {
      const [directPort = 0, controllerPort = 0, proxiedPort = 0] = await freePorts(3)
      const proxy = options.proxy ? await TcpProxy.listen(`127.0.0.1:${proxiedPort}`) : undefined
      const further = await furtherListeners(options)
      const broker = new LocalBroker(jars, options, directPort, proxy, further)
      const listeners = {
        bindHost: '127.0.0.1',
        directAddress: broker.direct,
        directPort,
        controllerPort,
        proxied: proxy && { port: proxiedPort, advertisedAddress: proxy.address },
        further,
      }
      try {
        const properties = serverProperties(listeners, broker.logDir, options.properties)
        await broker.#node.format(properties, options.formatArgs)
        await broker.start()
        return broker
      } catch (error) {
        await broker.close()
        if (tries === portTries || !String(error).includes('BindException')) throw error
      }
    }
  }

  private constructor(
    jars: Jars,
    options: StartOptions,
    directPort: number,
    proxy: TcpProxy | undefined,
    further: readonly FurtherListener[],
  ) {
    this.#jars = jars
    this.listeners = addressesOf(further)
    this.direct = `127.0.0.1:${directPort}`
    this.bootstrap = proxy?.address ?? this.direct
    this.proxy = proxy
    this.#node = new LocalNode(`Kafka at ${this.direct}`, jars, options.heapMegabytes ?? 512)
  }

  get pid(): number | undefined {
    return this.#node.pid
  }

  get logDir(): string {
    return this.#node.logDir
  }

  async start(): Promise<void> {
    const { ended } = await this.#node.start()
    await waitUntilReady(this.direct, startTimeoutMs, ended)
  }

  stop(): Promise<void> {
    return this.#node.stop()
  }

  kill(): Promise<void> {
    return this.#node.kill()
  }

  async close(): Promise<void> {
    await this.#node.close()
    await this.proxy?.close()
  }

  java(mainClass: string, args: readonly string[], stdin?: string | Uint8Array): Promise<ToolResult> {
    return runTool(this.#jars, mainClass, args, stdin)
  }
}
