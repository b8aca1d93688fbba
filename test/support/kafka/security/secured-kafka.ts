/** A broker with listeners of every security protocol, users and ACLs; one for all tests of a process. */
import { AclOperationTypes, AclPermissionTypes, AclResourceTypes, type Admin, ResourcePatternTypes } from 'kafkajs'
import { readClientProperties } from '../../../../lib/config/client-properties/read.ts'
import type { ClientsConfig } from '../../../../lib/store-protocol/client-config.ts'
import { temporaryFolder } from '../../process/temporary-folder.ts'
import { until } from '../../until.ts'
import { type KafkaBroker, kafkaClient, startKafka } from '../index.ts'
import { type Certificates, makeCertificates, pemProperty } from './certificates.ts'

/** Users of SASL/PLAIN by name; a comma, an equals sign and a space belong into passwords. */
const plainUsers = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace', 'heidi']
export const passwordOf = (user: string) => `${user}, s=cret é`
/** Users of SCRAM. */
export const scramPassword = 'scram-secret'

/** At the listener SHORTSESSION: within it, a connection has to authenticate again. */
export const shortSessionMs = 2_000

export interface SecuredKafka {
  broker: KafkaBroker
  certificates: Certificates
}

let running: Promise<SecuredKafka> | undefined

export function securedKafka(): Promise<SecuredKafka> {
  running = running ? running.then(revived) : start()
  return running
}

/** Bun kills the children of its process when a test times out. */
async function revived(secured: SecuredKafka): Promise<SecuredKafka> {
  const { broker } = secured
  if (broker.logDir !== undefined && broker.pid === undefined) await broker.start()
  return secured
}

async function start(): Promise<SecuredKafka> {
  const certificates = await makeCertificates(temporaryFolder('certificates'))
  const { broker, ca, elsewhere, expired } = certificates
  const plain = 'org.apache.kafka.common.security.plain.PlainLoginModule required'
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule required;'
  // To Java's properties a backslash escapes; to JAAS a quoted text may hold anything else.
  const users = plainUsers.map((user) => `user_${user}="${passwordOf(user)}"`).join(' ')
  const sasl = Object.fromEntries(
    ['saslplaintext', 'sasltls', 'shortsession'].flatMap((listener) => [
      [`listener.name.${listener}.sasl.enabled.mechanisms`, 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512'],
      [`listener.name.${listener}.plain.sasl.jaas.config`, `${plain} ${escaped(users)};`],
      [`listener.name.${listener}.scram-sha-256.sasl.jaas.config`, scram],
      [`listener.name.${listener}.scram-sha-512.sasl.jaas.config`, scram],
    ]),
  )
  const properties = {
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': 'User:ANONYMOUS;User:CN=orders-store',
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.certificate.chain': pemProperty(broker.certificate),
    'ssl.keystore.key': pemProperty(broker.key),
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.certificates': pemProperty(ca),
    'listener.name.mutual.ssl.client.auth': 'required',
    ...keyStoreOf('elsewhere', elsewhere),
    ...keyStoreOf('expired', expired),
    ...sasl,
    'connection.failed.authentication.delay.ms': '50',
    ...Object.fromEntries(
      ['plain', 'scram-sha-256'].map((name) => [
        `listener.name.shortsession.${name}.connections.max.reauth.ms`,
        String(shortSessionMs),
      ]),
    ),
  }
  const started = await startKafka({
    properties,
    listeners: {
      TLS: 'SSL',
      MUTUAL: 'SSL',
      ELSEWHERE: 'SSL',
      EXPIRED: 'SSL',
      SASLPLAINTEXT: 'SASL_PLAINTEXT',
      SASLTLS: 'SASL_SSL',
      SHORTSESSION: 'SASL_PLAINTEXT',
    },
    formatArgs: ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
      '--add-scram',
      `${mechanism}=[name=sam,password=${scramPassword}]`,
    ]),
  })
  return { broker: started, certificates }
}

function keyStoreOf(
  listener: string,
  { certificate, key }: { certificate: string; key: string },
): Record<string, string> {
  return {
    [`listener.name.${listener}.ssl.keystore.type`]: 'PEM',
    [`listener.name.${listener}.ssl.keystore.certificate.chain`]: pemProperty(certificate),
    [`listener.name.${listener}.ssl.keystore.key`]: pemProperty(key),
  }
}

/** Java reads properties as Latin-1. */
function escaped(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** Properties that all three clients share. Throws where they have faults. */
export function clientsOf(properties: Readonly<Record<string, string>>): ClientsConfig {
  const text = Object.entries(properties)
    .map(([name, value]) => `${name}=${value.replaceAll(',', '\\,')}`)
    .join(',')
  const clients = ['consumer', 'producer', 'changelog'] as const
  const read = readClientProperties([{ variable: 'KAFKA_PROPERTIES', clients, text, byLine: false }])
  if (read.faults.length > 0) throw new Error(read.faults.join('\n'))
  return read.clients
}

export type Grant = readonly [
  operation: 'READ' | 'WRITE' | 'CREATE' | 'DESCRIBE',
  type: 'TOPIC' | 'GROUP' | 'TRANSACTIONAL_ID',
  name: string,
]

/** Lets a user do something on a resource, or on transactional ids that begin with `name`. Resolves when the broker goes by that. */
export async function grant(broker: KafkaBroker, user: string, ...grants: readonly Grant[]): Promise<void> {
  await administer(broker, async (admin) => {
    await admin.createAcls({ acl: grants.map((one) => entryOf(user, one)) })
    await until('the broker goes by the grants', async () =>
      (await known(admin, user, grants)).every((count) => count > 0),
    )
  })
}

/** Resolves when the broker goes by that. */
export async function revoke(broker: KafkaBroker, user: string, ...grants: readonly Grant[]): Promise<void> {
  await administer(broker, async (admin) => {
    await admin.deleteAcls({ filters: grants.map((one) => entryOf(user, one)) })
    await until('the broker has none of the grants', async () =>
      (await known(admin, user, grants)).every((count) => count === 0),
    )
  })
}

/** How many entries the broker's own authorizer, which hears of them from the controller, has of each grant. */
function known(admin: Admin, user: string, grants: readonly Grant[]): Promise<number[]> {
  return Promise.all(
    grants.map(async (one) => {
      const { resources } = await admin.describeAcls(entryOf(user, one))
      return resources.reduce((sum, { acls }) => sum + acls.length, 0)
    }),
  )
}

function entryOf(user: string, [operation, type, resourceName]: Grant) {
  return {
    resourceType: AclResourceTypes[type],
    resourceName,
    resourcePatternType: ResourcePatternTypes[type === 'TRANSACTIONAL_ID' ? 'PREFIXED' : 'LITERAL'],
    principal: `User:${user}`,
    host: '*',
    operation: AclOperationTypes[operation],
    permissionType: AclPermissionTypes.ALLOW,
  }
}

async function administer(broker: KafkaBroker, use: (admin: Admin) => Promise<unknown>): Promise<void> {
  const admin = kafkaClient({ bootstrap: broker.direct }).admin()
  await admin.connect()
  try {
    await use(admin)
  } finally {
    await admin.disconnect()
  }
}
