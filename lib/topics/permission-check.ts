/**
 * Checks whether the users of a store have the permissions that it needs. Runs before the store changes anything, and
 * reports all missing permissions together.
 */
import { LatchkeyError } from '../errors.ts'
import type { KafkaClient } from '../kafka/client.ts'
import {
  groupOperations,
  type KnownOperations,
  mayCreate,
  mayReadMissing,
  topicOperations,
  transactionPermissions,
} from '../kafka/permissions.ts'
import { loggerOf } from '../log/index.ts'
import type { ClientName } from '../store-protocol/client-config.ts'
import type { StoreConfig } from '../store-protocol/store-config.ts'
import { aclCommands, describePermission, type Permission, principalOf, requiredPermissions } from './acls.ts'
import { type Clients, transactionalIdOf } from './clients.ts'
import { deadLetterTopicOf } from './dead-letter-topic.ts'

export type Verdict = 'granted' | 'missing' | 'not known'

export interface PermissionsFound {
  permissions: { permission: Permission; verdict: Verdict }[]
  /** The commands that grant every needed permission. */
  commands: string[]
}

/** Asks the brokers, and changes nothing. Permissions that a broker does not report are `not known`. */
export async function findPermissions(clients: Clients, config: StoreConfig): Promise<PermissionsFound> {
  const { changelogTopic, sourceTopic, useReplicaOnly } = config
  const topics = new TopicPermissions(clients)
  const [changelog, source] = await Promise.all([
    topics.of('consumer', changelogTopic),
    useReplicaOnly ? undefined : topics.of('consumer', sourceTopic),
  ])
  // A hidden topic may exist or not.
  const creates = isMissing(changelog) && !useReplicaOnly && source?.exists !== false ? [changelogTopic] : []
  const deadLetters = deadLetterTopicOf(config)
  if (deadLetters !== undefined && isMissing(await topics.of('consumer', deadLetters))) creates.push(deadLetters)
  const needed = requiredPermissions(config, creates)
  const verdicts = needed.map(async (permission) => ({
    permission,
    verdict: await verdictOn(permission, topics, clients, config),
  }))
  const permissions = await Promise.all(verdicts)
  return { permissions, commands: aclCommands(config, needed) }
}

function isMissing({ isHidden, exists }: KnownOperations): boolean {
  return isHidden || !exists
}

/** @throws LatchkeyError broker_refused that names every missing permission, and the commands that grant them */
export async function requirePermissions(clients: Clients, config: StoreConfig): Promise<void> {
  refuseMissing(config, await findPermissions(clients, config))
}

export function refuseMissing(config: StoreConfig, { permissions }: PermissionsFound): void {
  const missing = permissions
    .filter(({ verdict, permission }) => verdict === 'missing' && !permission.isOptional)
    .map(({ permission }) => permission)
  if (missing.length === 0) return
  const byPrincipal = Map.groupBy(missing, ({ client }) => principalOf(config, client))
  const lacking = [...byPrincipal].map(([principal, ones]) => {
    const names = [...new Set(ones.map(describePermission))]
    return `${principal} lacks ${names.join(', ')}`
  })
  const canDoWithout = missing.every(({ type }) => type === 'transactional-id')
  const message = [
    `Looking at the permissions: ${lacking.join('; ')}; an administrator grants ${missing.length === 1 ? 'it' : 'them'} with`,
    ...aclCommands(config, missing).map((command) => `  ${command}`),
    ...(canDoWithout ? ['  or set FENCING=false, and late writes of an earlier instance are not refused'] : []),
  ]
  throw new LatchkeyError('broker_refused', message.join('\n'))
}

async function verdictOn(
  permission: Permission,
  topics: TopicPermissions,
  clients: Clients,
  config: StoreConfig,
): Promise<Verdict> {
  const { client, operation, type, name } = permission
  if (type === 'group') {
    return verdictOf((await known(clients[client], () => groupOperations(clients[client], name)))?.may(operation))
  }
  if (type === 'transactional-id') return verdictOf((await topics.transaction(config))?.id)
  if (operation === 'Create') return verdictOf(await known(clients[client], () => mayCreate(clients[client], name)))
  const operations = await topics.of(client, name)
  if (operations.exists || operations.isHidden) return verdictOf(operations.may(operation))
  if (operation === 'Read') return verdictOf(await known(clients[client], () => mayReadMissing(clients[client], name)))
  // Only for the changelog there is a request that reports this permission without writing.
  if (operation === 'Write' && name === config.changelogTopic) {
    return verdictOf((await topics.transaction(config))?.topic)
  }
  // The brokers reported the topic as missing, so the user may describe it.
  return operation === 'Describe' ? 'granted' : 'not known'
}

function verdictOf(may: boolean | undefined): Verdict {
  if (may === undefined) return 'not known'
  return may ? 'granted' : 'missing'
}

/** Caches the permissions by topic and client. */
class TopicPermissions {
  readonly #clients: Clients
  readonly #asked = new Map<string, Promise<KnownOperations>>()
  #transaction: Promise<{ id: boolean; topic: boolean | undefined } | undefined> | undefined

  constructor(clients: Clients) {
    this.#clients = clients
  }

  of(client: ClientName, topic: string): Promise<KnownOperations> {
    const key = `${client} ${topic}`
    const asked = this.#asked.get(key) ?? this.#ask(client, topic)
    this.#asked.set(key, asked)
    return asked
  }

  transaction(config: StoreConfig): Promise<{ id: boolean; topic: boolean | undefined } | undefined> {
    const { producer } = this.#clients
    const id = transactionalIdOf(config, config.partitions[0] ?? 0)
    this.#transaction ??= config.fencing
      ? known(producer, () => transactionPermissions(producer, id, config.changelogTopic))
      : Promise.resolve(undefined)
    return this.#transaction
  }

  async #ask(client: ClientName, topic: string): Promise<KnownOperations> {
    const found = await known(this.#clients[client], () => topicOperations(this.#clients[client], topic))
    return found ?? { isHidden: false, exists: true, may: () => undefined }
  }
}

/** Returns undefined if a broker refuses the question. This does not prevent a start. */
async function known<T>(client: KafkaClient, ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await client.retryForever(ask)
  } catch (error) {
    if (!(error instanceof LatchkeyError) || error.code !== 'broker_refused') throw error
    loggerOf('store').debug('Permissions are not known: {fault}', { fault: error.message })
    return undefined
  }
}
