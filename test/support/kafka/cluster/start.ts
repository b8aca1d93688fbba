/** Formats and runs the processes of a cluster. */
import { type Closing, onFreePorts } from '../../process/ports.ts'
import { kafkaJars } from '../broker/jars.ts'
import { LocalNode } from '../broker/local-node.ts'
import { TcpProxy } from '../proxies/tcp-proxy.ts'
import { ClusterBroker } from './cluster-broker.ts'
import { brokerProperties, controllerProperties } from './properties.ts'

export interface ClusterOptions {
  /** server.properties of all nodes that are added to, or win over, those of `properties.ts`. */
  properties?: Readonly<Record<string, string>>
  /** Largest Java heap of a broker; 256 by default. */
  heapMegabytes?: number
}

const brokerIds = [1, 2, 3]
const controllerHeapMegabytes = 192

export interface Nodes {
  controller: LocalNode
  brokers: ClusterBroker[]
}

export function startNodes(options: ClusterOptions): Promise<Nodes> {
  return onFreePorts(1 + 2 * brokerIds.length, (ports, closing) => start(options, ports, closing))
}

async function start(options: ClusterOptions, ports: readonly number[], closing: Closing): Promise<Nodes> {
  const { properties = {}, heapMegabytes = 256 } = options
  const jars = await kafkaJars()
  const [controllerPort = 0, ...brokerPorts] = ports
  const controller = new LocalNode('the controller', jars, controllerHeapMegabytes)
  closing.push(controller)
  const formatted = [controller.format(controllerProperties(controllerPort, controller.logDir, properties))]
  const brokers: ClusterBroker[] = []
  for (const [index, id] of brokerIds.entries()) {
    const [directPort = 0, proxiedPort = 0] = brokerPorts.slice(2 * index)
    const proxy = await TcpProxy.listen(`127.0.0.1:${proxiedPort}`)
    const node = new LocalNode(`broker ${id}`, jars, heapMegabytes)
    const broker = new ClusterBroker(id, node, `127.0.0.1:${directPort}`, proxy)
    closing.push(broker)
    brokers.push(broker)
    const place = { id, directPort, proxiedPort, proxyAddress: proxy.address, controllerPort }
    formatted.push(node.format(brokerProperties(place, node.logDir, properties)))
  }
  await Promise.all(formatted)
  const { ended } = await controller.start()
  const failed = ended.then((output) => {
    throw new Error(`start the controller: it ended.\n${output}`)
  })
  await Promise.race([failed, Promise.all(brokers.map((broker) => broker.start()))])
  return { controller, brokers }
}
