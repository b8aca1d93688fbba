export interface Listeners {
  /** Host that the sockets bind to. */
  bindHost: string
  /** host:port advertised to clients of the DIRECT listener. */
  directAddress: string
  directPort: number
  controllerPort: number
  /** Only with a proxy: the port that the proxy connects to, and the address of the proxy, which is advertised to clients. */
  proxied?: { port: number; advertisedAddress: string } | undefined
  /** Further listeners, for clients at `localhost`. */
  further?: readonly { name: string; protocol: string; port: number }[]
}

type Properties = Readonly<Record<string, string>>

/** Of every node: small, quick to start, quick to notice that a broker was killed, and with nothing created by accident. */
export const nodeProperties: Properties = {
  'controller.listener.names': 'CONTROLLER',
  'auto.create.topics.enable': 'false',
  'num.network.threads': '2',
  'num.io.threads': '4',
  'background.threads': '2',
  'group.initial.rebalance.delay.ms': '0',
  // The cleaner's default buffer alone is 128 MiB. A short backoff lets a test force compaction by topic settings.
  'log.cleaner.dedupe.buffer.size': '4194304',
  'log.cleaner.io.buffer.size': '262144',
  'log.cleaner.backoff.ms': '200',
  'log.retention.check.interval.ms': '1000',
  'log.initial.task.delay.ms': '500',
  'log.segment.delete.delay.ms': '500',
}

/** server.properties of a single node that is broker and controller. */
export function serverProperties(listeners: Listeners, logDir: string, overrides: Properties = {}): string {
  const { bindHost, directAddress, directPort, controllerPort, proxied, further = [] } = listeners
  const bound = [`DIRECT://${bindHost}:${directPort}`, `CONTROLLER://${bindHost}:${controllerPort}`]
  const advertised = [`DIRECT://${directAddress}`]
  if (proxied) {
    bound.push(`PROXIED://${bindHost}:${proxied.port}`)
    advertised.push(`PROXIED://${proxied.advertisedAddress}`)
  }
  const protocols = ['DIRECT:PLAINTEXT', 'PROXIED:PLAINTEXT', 'CONTROLLER:PLAINTEXT']
  for (const { name, protocol, port } of further) {
    bound.push(`${name}://${bindHost}:${port}`)
    advertised.push(`${name}://localhost:${port}`)
    protocols.push(`${name}:${protocol}`)
  }
  return propertiesText({
    ...nodeProperties,
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    'inter.broker.listener.name': 'DIRECT',
    'listener.security.protocol.map': protocols.join(','),
    listeners: bound.join(','),
    'advertised.listeners': advertised.join(','),
    'log.dirs': logDir,
    'num.partitions': '1',
    // Internal topics: one replica, few partitions; creating fifty takes longer than most tests.
    'offsets.topic.num.partitions': '2',
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.num.partitions': '2',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'share.coordinator.state.topic.num.partitions': '1',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    // A broker that was killed may register again only once its session has ended.
    'broker.session.timeout.ms': '1000',
    'broker.heartbeat.interval.ms': '200',
    ...overrides,
  })
}

/** As a file of Java's properties. */
export function propertiesText(properties: Properties): string {
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')
}
