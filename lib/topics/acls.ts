/** The minimal rights of a store, and the commands that grant them. */
import type { Operation } from '../kafka/rights.ts'
import type { ClientName } from '../store-protocol/client-config.ts'
import type { StoreConfig } from '../store-protocol/store-config.ts'
import { clientsConfigOf, groupOf, transactionalIdPrefixOf } from './clients.ts'
import { deadLetterTopicOf } from './dead-letter-topic.ts'

export type ResourceType = 'topic' | 'group' | 'transactional-id'

export interface Right {
  /** The client whose user needs the right. */
  client: ClientName
  operation: Operation
  type: ResourceType
  name: string
  isPrefix: boolean
  /** The store also starts without it. */
  isOptional: boolean
}

/**
 * Returns the rights that a store needs. Read and Write include Describe.
 * @param creates topics that are missing
 */
export function rightsNeeded(config: StoreConfig, creates: readonly string[]): Right[] {
  const { sourceTopic, changelogTopic, useReplicaOnly, fencing } = config
  const rights: Right[] = []
  const add = (
    client: ClientName,
    operation: Operation,
    type: ResourceType,
    name: string,
    extras: Partial<Right> = {},
  ) => rights.push({ client, operation, type, name, isPrefix: false, isOptional: false, ...extras })
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
  if (useReplicaOnly) return rights
  add('consumer', 'DescribeConfigs', 'topic', sourceTopic, { isOptional: true })
  add('consumer', 'DescribeConfigs', 'topic', changelogTopic, { isOptional: true })
  return rights
}

/** Returns the principal of a client in the notation of kafka-acls. Parts to fill in are in angle brackets. */
export function principalOf(config: StoreConfig, client: ClientName): string {
  const { sasl, tls } = clientsConfigOf(config)[client].connection
  if (sasl) return `User:${sasl.username}`
  return tls?.cert === undefined ? 'User:ANONYMOUS' : 'User:<distinguished name of the client certificate>'
}

export function describeRight({ operation, type, name, isPrefix }: Right): string {
  const what = type === 'transactional-id' ? 'transactional id' : type
  return `${operation} on ${what} ${name}${isPrefix ? '*' : ''}`
}

/** Returns one command per principal and resource, for an administrator to run. */
export function aclCommands(config: StoreConfig, rights: readonly Right[]): string[] {
  const operations = new Map<string, { right: Right; principal: string; operations: Set<Operation> }>()
  for (const right of rights) {
    const principal = principalOf(config, right.client)
    const resource = `${principal} ${right.type} ${right.name}`
    const one = operations.get(resource) ?? { right, principal, operations: new Set<Operation>() }
    one.operations.add(right.operation)
    operations.set(resource, one)
  }
  return [...operations.values()].map(({ right, principal, operations: needed }) => {
    if (needed.has('Read') || needed.has('Write')) needed.delete('Describe')
    const parts = [
      `kafka-acls.sh --bootstrap-server ${bootstrapOf(config, right.client)}`,
      ...(isSecured(config, right.client) ? ['--command-config admin.properties'] : []),
      `--add --allow-principal ${shellQuote(principal)}`,
      ...[...needed].map((operation) => `--operation ${operation}`),
      `--${right.type} ${shellQuote(right.name)}`,
      ...(right.isPrefix ? ['--resource-pattern-type prefixed'] : []),
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

function shellQuote(text: string): string {
  return /^[A-Za-z0-9._:-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`
}
