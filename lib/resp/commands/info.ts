/** INFO: state and figures of the server, in Redis's terms as far as they fit. */
import { wordOf } from '../arguments.ts'
import type { Client } from '../client.ts'
import { serverVersion } from '../server-identity.ts'

type InfoField = readonly [string, string | number]

const everything = new Set(['all', 'default', 'everything'])
const startedAt = performance.now()

export function info(client: Client): void | Promise<void> {
  const asked = new Set<string>()
  for (let index = 1; index < client.args.count; index++) asked.add(wordOf(client, index))
  const isWhole = asked.size === 0 || [...asked].some((word) => everything.has(word))
  const shown = Object.entries(sections).filter(([name]) => isWhole || asked.has(name.toLowerCase()))
  const texts = shown.map(([name, fieldsOf]) => textOf(name, fieldsOf(client)))
  const isCounted = isWhole || asked.has('keyspace')
  const keys = isCounted ? client.context.keyCount.now() : undefined
  const reply = (count: number | undefined) => {
    if (isCounted) texts.push(textOf('Keyspace', keyspaceOf(count)))
    client.replies.verbatim(texts.join('\r\n'))
  }
  return keys instanceof Promise ? keys.then(reply) : reply(keys)
}

function textOf(name: string, fields: readonly InfoField[]): string {
  return `# ${name}\r\n${fields.map(([field, value]) => `${field}:${value}\r\n`).join('')}`
}

/** As Redis, without a line for a database without keys. */
function keyspaceOf(keys: number | undefined): InfoField[] {
  return keys === undefined || keys === 0 ? [] : [['db0', `keys=${keys},expires=0,avg_ttl=0`]]
}

/** All but the last, Keyspace, which may have to wait for other instances. */
const sections: Readonly<Record<string, (client: Client) => InfoField[]>> = {
  Server: ({ context: { port } }) => {
    const seconds = Math.floor((performance.now() - startedAt) / 1_000)
    return [
      ['redis_version', serverVersion],
      ['redis_mode', 'standalone'],
      ['os', `${process.platform} ${process.arch}`],
      ['arch_bits', 64],
      ['process_id', process.pid],
      ['tcp_port', port],
      ['uptime_in_seconds', seconds],
      ['uptime_in_days', Math.floor(seconds / 86_400)],
    ]
  },
  Clients: ({ context: { stats, connectionsMax } }) => [
    ['connected_clients', stats.connections],
    ['maxclients', Number.isFinite(connectionsMax) ? connectionsMax : 0],
    ['blocked_clients', 0],
    ['tracking_clients', stats.trackingClients],
  ],
  Memory: () => {
    const resident = process.memoryUsage.rss()
    return [
      ['used_memory', resident],
      ['used_memory_rss', resident],
      ['maxmemory', 0],
      ['maxmemory_policy', 'noeviction'],
    ]
  },
  Persistence: persistence,
  Stats: ({ context: { stats } }) => [
    ['total_connections_received', stats.accepted],
    ['total_commands_processed', stats.allCommands],
    ['keyspace_hits', stats.lookups('found')],
    ['keyspace_misses', stats.lookups('not_found')],
    ['expired_keys', 0],
    ['evicted_keys', 0],
    ['pubsub_subscriptions', stats.subscriptions],
    ['tracking_total_items', stats.trackedKeys],
  ],
  Replication: () => [
    ['role', 'master'],
    ['connected_slaves', 0],
  ],
  CPU: () => {
    const { user, system } = process.cpuUsage()
    return [
      ['used_cpu_sys', (system / 1e6).toFixed(6)],
      ['used_cpu_user', (user / 1e6).toFixed(6)],
    ]
  },
  Cluster: () => [['cluster_enabled', 0]],
}

/** Clients wait while `loading` is 1: ioredis asks until it is 0. */
function persistence({ context: { store } }: Client): InfoField[] {
  const { state, recovery } = store.status()
  const isLoading = state === 'starting' || state === 'recovering'
  return [
    ['loading', isLoading ? 1 : 0],
    ['async_loading', 0],
    ...(isLoading
      ? ([
          ['loading_loaded_perc', (recovery?.percent ?? 0).toFixed(2)],
          ['loading_eta_seconds', Math.ceil(recovery?.remainingSeconds ?? 1)],
        ] as const)
      : []),
  ]
}
