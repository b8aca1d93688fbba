import { nodeProperties, propertiesText } from '../broker/server-properties.ts'

type Properties = Readonly<Record<string, string>>

export const controllerId = 100

/** Of controller and brokers. */
const clusterProperties: Properties = {
  ...nodeProperties,
  'listener.security.protocol.map': 'DIRECT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT',
  'default.replication.factor': '3',
  'min.insync.replicas': '2',
  'num.partitions': '3',
  // Leaders move when a test moves them, or when a broker stops.
  'auto.leader.rebalance.enable': 'false',
  // A broker that was killed or stopped by SIGSTOP is replaced when its session has ended.
  'broker.session.timeout.ms': '2000',
  'broker.heartbeat.interval.ms': '250',
}

/** server.properties of the controller, which is no broker. */
export function controllerProperties(port: number, logDir: string, overrides: Properties): string {
  return propertiesText({
    ...clusterProperties,
    'process.roles': 'controller',
    'node.id': `${controllerId}`,
    'controller.quorum.voters': voters(port),
    listeners: `CONTROLLER://127.0.0.1:${port}`,
    'log.dirs': logDir,
    ...overrides,
  })
}

export interface BrokerPlace {
  id: number
  directPort: number
  proxiedPort: number
  /** host:port of the proxy before it. */
  proxyAddress: string
  controllerPort: number
}

/** server.properties of a broker, which is no controller. */
export function brokerProperties(place: BrokerPlace, logDir: string, overrides: Properties): string {
  const { id, directPort, proxiedPort, proxyAddress, controllerPort } = place
  return propertiesText({
    ...clusterProperties,
    'process.roles': 'broker',
    'node.id': `${id}`,
    'broker.rack': `rack-${id}`,
    'controller.quorum.voters': voters(controllerPort),
    'inter.broker.listener.name': 'DIRECT',
    listeners: `DIRECT://127.0.0.1:${directPort},PROXIED://127.0.0.1:${proxiedPort}`,
    'advertised.listeners': `DIRECT://127.0.0.1:${directPort},PROXIED://${proxyAddress}`,
    'log.dirs': logDir,
    // Few partitions, so that a broker that starts has little to load; more than brokers, so that each of them leads some.
    'offsets.topic.num.partitions': '4',
    'transaction.state.log.num.partitions': '4',
    'share.coordinator.state.topic.num.partitions': '1',
    // A follower that is slow, not dead.
    'replica.lag.time.max.ms': '5000',
    ...overrides,
  })
}

function voters(port: number): string {
  return `${controllerId}@127.0.0.1:${port}`
}
