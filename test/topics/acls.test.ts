/** Stores of users that may do just so much, on a broker with ACLs. */
import { expect, test } from 'bun:test'
import { LatchkeyError } from '../../lib/errors.ts'
import type { StoreConfig } from '../../lib/store-protocol/store-config.ts'
import { aclCommands, requiredPermissions } from '../../lib/topics/acls.ts'
import { checkTopics } from '../../lib/topics/check.ts'
import { toAddress } from '../support/kafka/real-client.ts'
import {
  clientsOf,
  type Grant,
  grant,
  passwordOf,
  revoke,
  type SecuredKafka,
  securedKafka,
} from '../support/kafka/security/secured-kafka.ts'
import { Fixture, type FixtureOptions } from '../support/store/fixture.ts'
import { until } from '../support/until.ts'

function authenticatedAs(secured: SecuredKafka, user: string): Partial<StoreConfig> {
  return {
    kafkaBrokers: [toAddress(secured.broker.listeners['SASLPLAINTEXT']!)],
    clients: clientsOf({
      'security.protocol': 'sasl_plaintext',
      'sasl.mechanism': 'PLAIN',
      'sasl.username': user,
      'sasl.password': passwordOf(user),
    }),
  }
}

async function securedFixture(options: FixtureOptions = {}): Promise<{ secured: SecuredKafka; fixture: Fixture }> {
  const secured = await securedKafka()
  return { secured, fixture: await Fixture.create({ broker: secured.broker, ...options }) }
}

/** Why the store failed. */
async function failureOf(fixture: Fixture, settings: Partial<StoreConfig>): Promise<LatchkeyError> {
  const store = fixture.open(settings)
  return store.failed
}

/** Runs a command of kafka-acls.sh, as an administrator who is not a user of SASL would. */
async function administer({ broker }: SecuredKafka, command: string): Promise<void> {
  const words = command.match(/'[^']*'|\S+/g)!.map((word) => word.replaceAll("'", ''))
  const args = words.slice(1).map((word, index) => (words[index] === '--bootstrap-server' ? broker.direct : word))
  const withoutConfig = args.filter(
    (word, index) => word !== '--command-config' && args[index - 1] !== '--command-config',
  )
  const { stdout, stderr, exitCode } = await broker.java('org.apache.kafka.tools.AclCommand', withoutConfig)
  if (exitCode !== 0) throw new Error(`${command}: ${stdout}${stderr}`)
}

function needed({ source, changelog, storeId }: Fixture): Record<string, Grant> {
  return {
    'Read on topic source': ['READ', 'TOPIC', source],
    'Read on group': ['READ', 'GROUP', storeId],
    'Write on topic changelog': ['WRITE', 'TOPIC', changelog],
    'Read on topic changelog': ['READ', 'TOPIC', changelog],
    'Create on topic changelog': ['CREATE', 'TOPIC', changelog],
    'Write on transactional id': ['WRITE', 'TRANSACTIONAL_ID', `latchkey-${storeId}-`],
  }
}

test('a store has all it needs when the commands that --check prints were run, and they grant no more', async () => {
  const { secured, fixture } = await securedFixture()
  await using _ = fixture
  const config = fixture.config(authenticatedAs(secured, 'alice'))
  const refusal = await checkTopics(config).catch((error: unknown) => error)
  expect(refusal).toBeInstanceOf(LatchkeyError)
  const commands = (refusal as LatchkeyError).message.split('\n').filter((line) => line.includes('kafka-acls.sh'))
  // A permission that Read and Write include needs no command.
  expect(
    commands.map((command) =>
      command
        .match(/--operation \w+/g)!
        .map((one) => one.slice(12))
        .join('+'),
    ),
  ).toEqual(['Read', 'Read', 'Write+Create+Read', 'Write'])
  for (const command of commands) await administer(secured, command)
  await until('the broker goes by the ACLs', () =>
    checkTopics(config).then(
      () => true,
      () => false,
    ),
  )
  await fixture.produce([{ key: 'a', value: '1' }])
  const store = fixture.open(config)
  await fixture.quiet(store)
  await fixture.expectConverged(store)
  await store.close()
  expect(await fixture.committed()).toEqual(new Map([[0, 1]]))
  const lines = await checkTopics(config)
  // Optional ones are not in the commands: they are named, and nothing that was granted is.
  expect(lines.filter((line) => line.startsWith('permission of'))).toEqual([
    expect.stringMatching(/^permission of User:alice: DescribeConfigs on topic .*: missing \(optional: /),
    expect.stringMatching(/^permission of User:alice: DescribeConfigs on topic .*: missing \(optional: /),
  ])
  expect(lines.join('\n')).not.toContain('s=cret')
})

test.each([
  ['Read on topic source', 'bob'],
  ['Read on group', 'carol'],
  ['Write on topic changelog', 'dave'],
  ['Read on topic changelog', 'erin'],
  ['Create on topic changelog', 'frank'],
  ['Write on transactional id', 'grace'],
])('a store ends with one message when only %s is missing', async (lacking, user) => {
  const { secured, fixture } = await securedFixture()
  await using _ = fixture
  const grants = Object.entries(needed(fixture)).filter(([name]) => name !== lacking)
  await grant(secured.broker, user, ...grants.map(([, one]) => one))
  const failure = await failureOf(fixture, authenticatedAs(secured, user))
  expect(failure.code).toBe('broker_refused')
  const [operation, , type] = lacking.split(' ')
  const commands = failure.message.split('\n').filter((line) => line.includes('kafka-acls.sh'))
  expect(commands).toHaveLength(1)
  expect(commands[0]).toContain(`--add --allow-principal User:${user} --operation ${operation} --${type}`)
  expect(failure.message).toContain(`User:${user} lacks ${operation} on ${type}`)
  expect(failure.message.includes('FENCING=false')).toBe(type === 'transactional')
})

test('a store that does not fence needs no transactional id', async () => {
  const { secured, fixture } = await securedFixture()
  await using _ = fixture
  const { 'Write on transactional id': __, ...grants } = needed(fixture)
  await grant(secured.broker, 'heidi', ...Object.values(grants))
  await fixture.produce([{ key: 'a', value: '1' }])
  const store = fixture.open({ ...authenticatedAs(secured, 'heidi'), fencing: false })
  await fixture.quiet(store)
  await fixture.expectConverged(store)
})

test('a replica needs only to read the changelog', async () => {
  const { secured, fixture } = await securedFixture({ changelog: {} })
  await using _ = fixture
  await grant(secured.broker, 'heidi', ['READ', 'TOPIC', fixture.changelog])
  const store = fixture.open({ ...authenticatedAs(secured, 'heidi'), useReplicaOnly: true, sourceTopic: '' })
  await until('it runs', () => {
    if (store.state === 'failed') throw new Error(store.status().reason)
    return store.state === 'running'
  })
})

test('a check of permissions changes nothing for a running instance', async () => {
  const { secured, fixture } = await securedFixture()
  await using _ = fixture
  await grant(secured.broker, 'bob', ...Object.values(needed(fixture)))
  const config = fixture.config(authenticatedAs(secured, 'bob'))
  const store = fixture.open(config)
  await fixture.quiet(store)
  const before = (await fixture.readChangelog()).ends
  for (let times = 0; times < 3; times++) await checkTopics(config)
  expect((await fixture.readChangelog()).ends).toEqual(before)
  await fixture.produce([{ key: 'a', value: '1' }])
  await fixture.quiet(store)
  await fixture.expectConverged(store)
})

test.each([
  // Without Read the topic may not even be described.
  ['READ', 'source', 'erin', 'a permission was taken from this user: latchkey --check names it'],
  ['WRITE', 'changelog', 'frank', 'allow this user to WRITE topic'],
] as const)(
  'a store that loses %s on its %s reports it, still serves, and continues when it is back',
  async (operation, topic, user, said) => {
    const { secured, fixture } = await securedFixture()
    await using _ = fixture
    await grant(secured.broker, user, ...Object.values(needed(fixture)))
    await fixture.produce([{ key: 'a', value: '1' }])
    const store = fixture.open(authenticatedAs(secured, user))
    await fixture.quiet(store)
    const name = fixture[topic]
    await revoke(secured.broker, user, [operation, 'TOPIC', name])
    await fixture.produce([{ key: 'b', value: '2' }])
    await until('it is reported', () => store.status().reason?.includes(said) === true)
    expect(store.state).toBe('running')
    await grant(secured.broker, user, [operation, 'TOPIC', name])
    await fixture.quiet(store)
    await fixture.expectConverged(store)
  },
)

test('commands name each client’s own user, quoted, and their listener', () => {
  const clients = clientsOf({
    'security.protocol': 'sasl_ssl',
    'sasl.mechanism': 'PLAIN',
    'sasl.username': "o'b x",
    'sasl.password': 'p',
  })
  const config = {
    storeId: 'orders',
    sourceTopic: 'orders',
    changelogTopic: 'orders-changelog',
    kafkaBrokers: [{ host: '::1', port: 9093 }],
    useReplicaOnly: false,
    fencing: true,
    clients: { ...clients, producer: clientsOf({}).producer },
  } as unknown as StoreConfig
  const commands = aclCommands(config, requiredPermissions(config, [config.changelogTopic]))
  const start = String.raw`kafka-acls.sh --bootstrap-server [::1]:9093 --command-config admin.properties --add --allow-principal 'User:o'\''b x'`
  expect(commands).toEqual([
    `${start} --operation Read --operation DescribeConfigs --topic orders`,
    `${start} --operation Read --group orders`,
    'kafka-acls.sh --bootstrap-server [::1]:9093 --add --allow-principal User:ANONYMOUS --operation Write --topic orders-changelog',
    'kafka-acls.sh --bootstrap-server [::1]:9093 --add --allow-principal User:ANONYMOUS --operation Write --transactional-id latchkey-orders- --resource-pattern-type prefixed',
    `${start} --operation Create --operation Read --operation DescribeConfigs --topic orders-changelog`,
  ])
})
