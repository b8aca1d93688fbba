/** The minimal permissions of a store, and the commands that grant them. */
import type { Operation } from '../kafka/permissions.ts'
import type { ClientName } from '../store-protocol/client-config.ts'
import type { StoreConfig } from '../store-protocol/store-config.ts'
import { shellQuote } from '../text/shell-quote.ts'
import { clientsConfigOf, groupOf, transactionalIdPrefixOf } from './clients.ts'
import { deadLetterTopicOf } from './dead-letter-topic.ts'

export type ResourceType = 'topic' | 'group' | 'transactional-id'

export interface Permission {
  /** The client whose user needs the permission. */
  client: ClientName
  operation: Operation
  type: ResourceType
  name: string
  isPrefix: boolean
  /** The store also starts without it. */
  isOptional: boolean
}

/**
 * Returns the permissions that a store needs. Read and Write include Describe.
 * @param creates topics that are missing
 */
export function requiredPermissions(config: StoreConfig, creates: readonly string[]): Permission[] {
  const { sourceTopic, changelogTopic, useReplicaOnly, fencing } = config
  const permissions: Permission[] = []
  const add = (
    client: ClientName,
    operation: Operation,
    type: ResourceType,
    name: string,
    extras: Partial<Permission> = {},
  ) => permissions.push({ client, operation, type, name, isPrefix: false, isOptional: false, ...extras })
  if (!useReplicaOnly) {
    add('consumer', 'Read', 'topic', sourceTopic)
    add('consumer', 'Read', 'group', groupOf(config))
    add('producer', 'Write', 'topic', changelogTopic)
    if (fencing) add('producer', 'Write', 'transactional-id', transactionalIdPrefixOf(config), { isPrefix: true })
    const deadLetters = deadLetterTopicOf(config)
    if (deadLetters !== undefined) {
      add('producer', 'Write', 'topic', deadLetters)
      add('consumer', 'Describe', 'topic', deadLetters)
      add('consumer', 'DescribeConfigs', 'topic', deadLetters, { isOptional: true })
    }
    for (const topic of creates) add('consumer', 'Create', 'topic', topic)
  }
  add('changelog', 'Read', 'topic', changelogTopic)
  // The consumer inspects both topics, independent of the client that reads them.
  add('consumer', 'Describe', 'topic', changelogTopic)
  if (useReplicaOnly) return permissions
  add('consumer', 'DescribeConfigs', 'topic', sourceTopic, { isOptional: true })
  add('consumer', 'DescribeConfigs', 'topic', changelogTopic, { isOptional: true })
  return permissions
}

/** Returns the principal of a client in the notation of kafka-acls. Parts to fill in are in angle brackets. */
export function principalOf(config: StoreConfig, client: ClientName): string {
  const { sasl, tls } = clientsConfigOf(config)[client].connection
  if (sasl) return `User:${sasl.username}`
  return tls?.cert === undefined ? 'User:ANONYMOUS' : 'User:<distinguished name of the client certificate>'
}

export function describePermission({ operation, type, name, isPrefix }: Permission): string {
  const what = type === 'transactional-id' ? 'transactional id' : type
  return `${operation} on ${what} ${name}${isPrefix ? '*' : ''}`
}

/** Returns one command per principal and resource, for an administrator to run. */
export function aclCommands(config: StoreConfig, permissions: readonly Permission[]): string[] {
  const operations = new Map<string, { permission: Permission; principal: string; operations: Set<Operation> }>()
  for (const permission of permissions) {
    const principal = principalOf(config, permission.client)
    const resource = `${principal} ${permission.type} ${permission.name}`
    const one = operations.get(resource) ?? { permission, principal, operations: new Set<Operation>() }
    one.operations.add(permission.operation)
    operations.set(resource, one)
  }
  return [...operations.values()].map(({ permission, principal, operations: needed }) => {
    if (needed.has('Read') || needed.has('Write')) needed.delete('Describe')
    const parts = [
      `kafka-acls.sh --bootstrap-server ${bootstrapOf(config, permission.client)}`,
      ...(isSecured(config, permission.client) ? ['--command-config admin.properties'] : []),
      `--add --allow-principal ${wordOf(principal)}`,
      ...[...needed].map((operation) => `--operation ${operation}`),
      `--${permission.type} ${wordOf(permission.name)}`,
      ...(permission.isPrefix ? ['--resource-pattern-type prefixed'] : []),
    ]
    return parts.join(' ')
  })
}

function bootstrapOf(config: StoreConfig, client: ClientName): string {
  const { host, port } = (clientsConfigOf(config)[client].connection.brokers ?? config.kafkaBrokers)[0]!
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

function isSecured(config: StoreConfig, client: ClientName): boolean {
  const { sasl, tls } = clientsConfigOf(config)[client].connection
  return sasl !== null || tls !== null
}

function wordOf(text: string): string {
  return /^[A-Za-z0-9._:-]+$/.test(text) ? text : shellQuote(text)
}
