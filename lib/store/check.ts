/** What --check tells: whether the settings and topics would do, and what a start would do, without changing anything. */
import { closeClients, createClients } from './clients.ts'
import { type StoreConfig } from './store-config.ts'
import { rolesOf } from './roles.ts'
import { inspectTopics, type Topology } from './topology.ts'
import { LatchkeyError } from '../errors.ts'
import { sleep } from '../kafka/backoff.ts'

/** An unreachable cluster is waited for by a start, but a check has to come to an end. */
const checkMs = 30_000

/** Lines to print. Rejects with LatchkeyError where a start would be refused or Kafka cannot be asked. */
export async function checkTopics(config: StoreConfig): Promise<string[]> {
  const { consumer } = createClients(config)
  const clients = { consumer, producer: consumer, changelog: consumer, replicas: consumer }
  const bound = new AbortController()
  try {
    const overdue = sleep(checkMs, bound.signal).then(() => {
      const found = consumer.health.trouble ?? 'no answer'
      throw new LatchkeyError('broker_unreachable', `Checking the topics: given up after ${checkMs / 1000} s; ${found}`)
    })
    overdue.catch(() => {})
    const topology = await Promise.race([consumer.persist(() => inspectTopics(consumer, config)), overdue])
    return describe(config, topology)
  } finally {
    bound.abort()
    closeClients(clients)
  }
}

function describe(config: StoreConfig, { partitionCount, missingChangelog, warnings }: Topology): string[] {
  const { storeId, sourceTopic, changelogTopic, fencing } = config
  const { primaries, replicas, notices } = rolesOf(config, partitionCount)
  const lines: string[] = []
  if (primaries.length > 0)
    lines.push(`source ${sourceTopic}: ${partitionCount} partitions, primary here: ${primaries.join(', ')}`)
  if (replicas.length > 0) lines.push(`replicas, copied from ${changelogTopic}: ${replicas.join(', ')}`)
  if (missingChangelog === undefined)
    lines.push(`changelog ${changelogTopic}: exists with as many partitions; recovered from its start`)
  else {
    const settings = Object.entries(missingChangelog.config).map(([name, value]) => `${name}=${value}`)
    lines.push(
      `changelog ${changelogTopic}: would be created with ${missingChangelog.partitions} partitions, ${settings.join(', ')}`,
    )
  }
  if (primaries.length > 0) {
    lines.push(`offsets: committed under group ${storeId}`)
    lines.push(
      fencing
        ? `fencing: transactional ids ${primaries.map((partition) => `latchkey-${storeId}-${partition}`).join(', ')}`
        : 'fencing: off; a late write of an earlier instance can land behind newer ones',
    )
  }
  return [...lines, ...[...notices, ...warnings].map((warning) => `warning: ${warning}`)]
}
