import { type Closing, onFreePorts } from '../../process/ports.ts'
import { TcpProxy } from '../proxies/tcp-proxy.ts'
import type { KafkaBroker, StartOptions, ToolResult } from './broker.ts'
import { addressesOf, type FurtherListener, furtherListeners } from './further-listeners.ts'
import { type Jars, kafkaJars } from './jars.ts'
import { runTool } from './java.ts'
import { LocalNode } from './local-node.ts'
import { NodeBroker } from './node-broker.ts'
import { serverProperties } from './server-properties.ts'

/** Apache Kafka on this machine's Java. */
export class LocalBroker extends NodeBroker<TcpProxy | undefined> implements KafkaBroker {
  readonly bootstrap: string
  readonly listeners: Readonly<Record<string, string>>
  readonly #jars: Jars

  static start(options: StartOptions = {}): Promise<LocalBroker> {
    return onFreePorts(3, (ports, closing) => LocalBroker.#start(options, ports, closing))
  }

  static async #start(options: StartOptions, ports: readonly number[], closing: Closing): Promise<LocalBroker> {
    const [directPort = 0, controllerPort = 0, proxiedPort = 0] = ports
    const jars = await kafkaJars()
    const further = await furtherListeners(options)
    const proxy = options.proxy ? await TcpProxy.listen(`127.0.0.1:${proxiedPort}`) : undefined
    const directAddress = `127.0.0.1:${directPort}`
    const node = new LocalNode(`Kafka at ${directAddress}`, jars, options.heapMegabytes ?? 512)
    const broker = new LocalBroker(jars, node, directAddress, proxy, further)
    closing.push(broker)
    const listeners = {
      bindHost: '127.0.0.1',
      directAddress,
      directPort,
      controllerPort,
      proxied: proxy && { port: proxiedPort, advertisedAddress: proxy.address },
      further,
    }
    await node.format(serverProperties(listeners, node.logDir, options.properties), options.formatArgs)
    await broker.start()
    return broker
  }

  private constructor(
    jars: Jars,
    node: LocalNode,
    direct: string,
    proxy: TcpProxy | undefined,
    further: readonly FurtherListener[],
  ) {
    super(node, direct, proxy)
    this.#jars = jars
    this.listeners = addressesOf(further)
    this.bootstrap = proxy?.address ?? direct
  }

  java(mainClass: string, args: readonly string[], stdin?: string | Uint8Array): Promise<ToolResult> {
    return runTool(this.#jars, mainClass, args, stdin)
  }
}
