/** The checks of --check: whether settings, permissions and topics fit, and what a start would do. Changes nothing. */
import { deadline } from '../deadline.ts'
import { LatchkeyError } from '../errors.ts'
import { type CommittedOffset, fetchCommitted } from '../kafka/offsets.ts'
import { rolesOf } from '../store-protocol/roles.ts'
import type { StoreConfig } from '../store-protocol/store-config.ts'
import { counted } from '../text/counted.ts'
import { rangesOf } from '../text/ranges.ts'
import { describePermission, principalOf } from './acls.ts'
import {
  type Clients,
  closeClients,
  createClients,
  groupOf,
  lastFoundOf,
  requireBrokers,
  transactionalIdPrefixOf,
} from './clients.ts'
import { fingerprintOf, hasOtherFingerprint, otherFormatsWarning } from './fingerprint.ts'
import { refuseBesideGroup } from './manual-writer.ts'
import { describeMemory, doesNotFit, expectedOf, fits } from './memory-fit.ts'
import { findPermissions, type PermissionsFound, refuseMissing, type Verdict } from './permission-check.ts'
import { inspectTopics, type Topology } from './topology.ts'

/** Maximum duration of a check. A start waits for an unreachable cluster, but a check has to end. */
const checkMs = 30_000

/** Returns lines to print. Rejects with LatchkeyError if a start would be refused or Kafka cannot be reached. */
export async function checkTopics(config: StoreConfig): Promise<string[]> {
  await requireBrokers(config)
  const clients = createClients(config)
  try {
    return await deadline(check(clients, config), checkMs, () => {
      const found = lastFoundOf(clients) ?? 'no answer. Correct KAFKA_BROKERS'
      throw new LatchkeyError('broker_unreachable', `Checking the topics for ${checkMs / 1000} s: ${found}`)
    })
  } finally {
    closeClients(clients)
  }
}

async function check(clients: Clients, config: StoreConfig): Promise<string[]> {
  const permissions = await findPermissions(clients, config)
  refuseMissing(config, permissions)
  const topology = await clients.consumer.retryForever(() => inspectTopics(clients.consumer, config))
  await refuseBesideGroup(clients, config)
  const committed = await committedHere(clients, config, topology)
  const expected = expectedOf(config.useProcessingOnly ? new Map() : committed)
  if (!fits(config, expected.mapBytes)) throw doesNotFit(config, `Starting store ${config.storeId}`, expected)
  const leaderless = await describeLeaderless(clients, config, topology)
  return [
    ...describe(config, topology),
    ...describeMemory(config, expected),
    ...describeChanged(config, committed),
    ...leaderless,
    ...describePermissions(config, permissions),
  ]
}

/** Returns warnings about partitions without a leader. A start waits for their leaders. */
async function describeLeaderless(clients: Clients, config: StoreConfig, topology: Topology): Promise<string[]> {
  const { sourceTopic, changelogTopic } = config
  const { consumer } = clients
  const { primaries } = rolesOf(config, topology.partitionCount)
  const topics = [
    ...(primaries.length > 0 || config.elastic ? [sourceTopic] : []),
    ...(topology.missingChangelog === undefined ? [changelogTopic] : []),
  ]
  const found = topics.length === 0 ? [] : await consumer.retryForever(() => consumer.metadata(topics))
  return found.flatMap(({ topic, partitions }) => {
    const without = partitions.filter(({ leader }) => leader < 0).map(({ partition }) => partition)
    if (without.length === 0) return []
    const which = `${without.length === 1 ? 'partition' : 'partitions'} ${rangesOf(without.toSorted((a, b) => a - b))}`
    return [
      `warning: Topic ${topic} has no leader for ${which}: a start waits for one; start the brokers that hold a replica`,
    ]
  })
}

/** Returns the commits of the partitions that would be written here. */
async function committedHere(
  { consumer }: Clients,
  config: StoreConfig,
  topology: Topology,
): Promise<Map<number, CommittedOffset>> {
  const { primaries } = rolesOf(config, topology.partitionCount)
  if (primaries.length === 0 || topology.missingChangelog !== undefined) return new Map()
  return consumer.retryForever(() => fetchCommitted(consumer, groupOf(config), config.sourceTopic, primaries))
}

/** Returns the warning of a start with other formats, or another module, than those of the stored values. */
function describeChanged(config: StoreConfig, committed: ReadonlyMap<number, CommittedOffset>): string[] {
  if (config.rebuild) return []
  const fingerprint = fingerprintOf(config)
  const isChanged = [...committed.values()].some(({ metadata }) => hasOtherFingerprint(metadata, fingerprint))
  return isChanged ? [`warning: ${config.changelogTopic}: ${otherFormatsWarning}`] : []
}

/** Describes what a start does with an existing changelog. */
function beginning({ rebuild, snapshotDir }: StoreConfig): string {
  if (rebuild) {
    return 'what it has here would be deleted by tombstones, and the source read from its start, because of --rebuild'
  }
  return `a start would recover from its beginning${snapshotDir === undefined ? '' : ', or from after a snapshot'}`
}

function describe(
  config: StoreConfig,
  { partitionCount, missingChangelog, deadLetters, warnings }: Topology,
): string[] {
  const { sourceTopic, changelogTopic, fencing } = config
  const { primaries, replicas, notices } = rolesOf(config, partitionCount)
  const lines: string[] = []
  if (config.elastic) {
    lines.push(`source ${sourceTopic}: ${counted(partitionCount, 'partition')}, which the group assigns`)
  }
  if (primaries.length > 0) {
    lines.push(`source ${sourceTopic}: ${counted(partitionCount, 'partition')}, primary here: ${rangesOf(primaries)}`)
  }
  if (replicas.length > 0) lines.push(`replicas, copied from ${changelogTopic}: ${rangesOf(replicas)}`)
  if (missingChangelog === undefined) {
    lines.push(`changelog ${changelogTopic}: exists with as many partitions; ${beginning(config)}`)
  } else {
    const settings = Object.entries(missingChangelog.config).map(([name, value]) => `${name}=${value}`)
    lines.push(
      `changelog ${changelogTopic}: would be created with ${counted(missingChangelog.partitions, 'partition')}, ${settings.join(', ')}`,
    )
  }
  if (deadLetters?.missing === undefined) {
    if (deadLetters) {
      lines.push(
        `dead letters: to ${deadLetters.name}, which exists with ${counted(deadLetters.partitions, 'partition')}`,
      )
    }
  } else {
    lines.push(
      `dead letters: to ${deadLetters.name}, which would be created with ${counted(deadLetters.partitions, 'partition')}`,
    )
  }
  if (primaries.length > 0 || config.elastic) {
    lines.push(`offsets: committed under group ${groupOf(config)}`)
    lines.push(
      fencing
        ? `fencing: transactional ids ${transactionalIdPrefixOf(config)}<partition>`
        : 'fencing: off; a late write of an earlier instance can land after newer ones',
    )
  }
  return [...lines, ...[...notices, ...warnings].map((warning) => `warning: ${warning}`)]
}

/** Returns one line if no permission is missing; else each missing permission, and the commands that grant all of them. */
function describePermissions(config: StoreConfig, { permissions, commands }: PermissionsFound): string[] {
  const ofVerdict = (wanted: Verdict) =>
    permissions.filter(({ verdict }) => verdict === wanted).map(({ permission }) => permission)
  const missing = ofVerdict('missing')
  const unknown = new Set(
    ofVerdict('not known')
      .filter(({ isOptional }) => !isOptional)
      .map(describePermission),
  )
  const rest =
    unknown.size === 0 ? 'are granted' : `that the broker reports are granted; not known: ${[...unknown].join(', ')}`
  if (missing.length === 0) return [`permissions: all ${rest}`]
  const found = missing.map((permission) => {
    const optional = permission.isOptional ? ' (optional: limits and warnings of the topics are not known without)' : ''
    return `permission of ${principalOf(config, permission.client)}: ${describePermission(permission)}: missing${optional}`
  })
  return [...new Set(found), 'permissions are granted with', ...commands.map((command) => `  ${command}`)]
}
