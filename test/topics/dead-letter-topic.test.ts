/** Checks, permissions and reports of the dead-letter topic before a start. */
import { expect, test } from 'bun:test'
import type { KafkaClient } from '../../lib/kafka/client.ts'
import type { StoreConfig } from '../../lib/store-protocol/store-config.ts'
import { aclCommands, requiredPermissions } from '../../lib/topics/acls.ts'
import { checkTopics } from '../../lib/topics/check.ts'
import { inspectDeadLetters } from '../../lib/topics/dead-letter-topic.ts'
import { createTopic, sharedKafka } from '../support/kafka/index.ts'
import { toAddress } from '../support/kafka/real-client.ts'
import { clientsOf, type Grant, grant, passwordOf, securedKafka } from '../support/kafka/security/secured-kafka.ts'
import { Fixture } from '../support/store/fixture.ts'

function deadLetter(fixture: Fixture): Partial<StoreConfig> {
  return { onBadRecord: 'dead-letter', deadLetterTopic: `${fixture.source}-bad` }
}

async function checked(fixture: Fixture, settings: Partial<StoreConfig> = {}): Promise<string[]> {
  return checkTopics(fixture.config({ ...deadLetter(fixture), ...settings }))
}

test('--check reports that the dead-letter topic would be created, and then that it exists', async () => {
  await using fixture = await Fixture.create({ partitions: 3 })
  const topic = `${fixture.source}-bad`
  expect(await checked(fixture)).toContain(`dead letters: to ${topic}, which would be created with 3 partitions`)
  const store = fixture.open(deadLetter(fixture))
  await fixture.quiet(store)
  const lines = await checked(fixture)
  expect(lines).toContain(`dead letters: to ${topic}, which exists with 3 partitions`)
  expect(lines.filter((line) => line.startsWith('warning'))).toEqual([])
  expect((await checked(fixture, { onBadRecord: 'skip' })).join('\n')).not.toContain(topic)
})

test('a compacted dead-letter topic with too little room causes a warning', async () => {
  await using fixture = await Fixture.create()
  const config = { 'cleanup.policy': 'compact', 'max.message.bytes': '1000' }
  await createTopic(await sharedKafka(), `${fixture.source}-bad`, { partitions: 1, config })
  const warnings = (await checked(fixture)).filter((line) => line.startsWith('warning'))
  expect(warnings).toEqual([
    expect.stringContaining('has max.message.bytes=1000: records that do not fit go there without their value'),
    expect.stringContaining('has cleanup.policy=compact: it keeps one dead letter per key'),
  ])
})

test('a dead-letter topic has to be named, by an embedding program too', async () => {
  await using fixture = await Fixture.create()
  const refusal: unknown = await checkTopics(fixture.config({ onBadRecord: 'dead-letter' })).catch((error) => error)
  expect(refusal).toMatchObject({ code: 'invalid_settings' })
})

test('the permissions on the dead-letter topic are checked, with the commands that grant them', async () => {
  const secured = await securedKafka()
  await using fixture = await Fixture.create({ broker: secured.broker })
  const { source, changelog, storeId } = fixture
  const user = 'alice'
  const settings = {
    ...deadLetter(fixture),
    kafkaBrokers: [toAddress(secured.broker.listeners['SASLPLAINTEXT']!)],
    clients: clientsOf({
      'security.protocol': 'sasl_plaintext',
      'sasl.mechanism': 'PLAIN',
      'sasl.username': user,
      'sasl.password': passwordOf(user),
    }),
  }
  const grants: Grant[] = [
    ['READ', 'TOPIC', source],
    ['READ', 'GROUP', storeId],
    ['WRITE', 'TOPIC', changelog],
    ['READ', 'TOPIC', changelog],
    ['CREATE', 'TOPIC', changelog],
    ['WRITE', 'TRANSACTIONAL_ID', `latchkey-${storeId}-`],
  ]
  await grant(secured.broker, user, ...grants)
  const failure = await fixture.open(settings).failed
  expect(failure.message).toContain(`User:${user} lacks Write on topic ${source}-bad`)
  const command = failure.message.split('\n').find((line) => line.includes('kafka-acls.sh'))
  expect(command).toContain(`--operation Write --operation Create --topic ${source}-bad`)
  await grant(secured.broker, user, ['WRITE', 'TOPIC', `${source}-bad`], ['CREATE', 'TOPIC', `${source}-bad`])
  await fixture.produce([
    { key: null, value: 'bad' },
    { key: 'a', value: '1' },
  ])
  const store = fixture.open(settings)
  await fixture.quiet(store)
  expect(store.stats.count('deadLetters')).toBe(1)
  await store.close()
})

test('no permission on a dead-letter topic is checked when none is written to one', () => {
  const config = {
    storeId: 's',
    sourceTopic: 's',
    changelogTopic: 'log',
    deadLetterTopic: 'bad',
    kafkaBrokers: [{ host: 'k', port: 1 }],
  }
  const settings = { ...config, fencing: true } as unknown as StoreConfig
  const topics = (one: StoreConfig) =>
    aclCommands(one, requiredPermissions(one, [])).filter((line) => line.includes('bad'))
  expect(topics({ ...settings, onBadRecord: 'stop' })).toEqual([])
  expect(topics({ ...settings, onBadRecord: 'dead-letter', useReplicaOnly: true })).toEqual([])
  expect(topics({ ...settings, onBadRecord: 'dead-letter' })).toEqual([
    expect.stringContaining('--operation Write --operation DescribeConfigs --topic bad'),
  ])
})

test('a dead-letter topic that is created keeps its letters when a broker is lost', async () => {
  const one = { partition: 0, leader: 1, leaderEpoch: 0, replicas: 3, errorCode: 0 }
  const source = { topic: 'source', id: undefined, errorCode: 0, partitions: [one] }
  const found = { topic: 'letters', id: undefined, errorCode: 3, partitions: [] }
  const { missing } = await inspectDeadLetters({} as KafkaClient, found, source, 1_000)
  expect(missing).toMatchObject({
    replicationFactor: 3,
    config: { 'min.insync.replicas': '2', 'unclean.leader.election.enable': 'false', 'retention.ms': '-1' },
  })
})
