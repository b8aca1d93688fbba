/** Stores and the program as a whole on a secured broker: what gets in works throughout, what does not ends the start, and no secret is shown. */
import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { toAddress } from '../../support/kafka/real-client.ts'
import { keyPassword } from '../../support/kafka/security/certificates.ts'
import {
  clientsOf,
  grant,
  passwordOf,
  scramPassword,
  securedKafka,
} from '../../support/kafka/security/secured-kafka.ts'
import { Fixture } from '../../support/store/fixture.ts'
import { until } from '../../support/until.ts'

const main = join(import.meta.dir, '../../../main.ts')
const startMs = 40_000

async function setUp() {
  const { broker, certificates } = await securedKafka()
  const fixture = await Fixture.create({ broker })
  await fixture.produce([{ key: 'a', value: '1' }])
  const allow = (user: string) =>
    grant(
      broker,
      user,
      ['READ', 'TOPIC', fixture.source],
      ['READ', 'GROUP', fixture.storeId],
      ['READ', 'TOPIC', fixture.changelog],
      ['WRITE', 'TOPIC', fixture.changelog],
      ['CREATE', 'TOPIC', fixture.changelog],
      ['WRITE', 'TRANSACTIONAL_ID', `latchkey-${fixture.storeId}-`],
    )
  return { broker, certificates, fixture, allow }
}

/** The program, to its end. */
async function run(environment: Record<string, string>, ...args: string[]) {
  const child = Bun.spawn([process.execPath, main, ...args], {
    cwd: import.meta.dir,
    env: { SERVER_BIND: '127.0.0.1', SERVER_PORT: '0', ...environment },
    stdout: 'pipe',
    stderr: 'pipe',
    timeout: startMs,
  })
  const [stdout, stderr, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  return { stdout, stderr, exitCode }
}

const scram = {
  'security.protocol': 'sasl_ssl',
  'sasl.mechanism': 'SCRAM-SHA-512',
  'sasl.username': 'sam',
  'sasl.password': scramPassword,
}

test('a store reads, writes, commits and restarts with SASL over TLS, and with client certificates', async () => {
  const { broker, certificates, fixture, allow } = await setUp()
  await using _ = fixture
  await allow('sam')
  const bySasl = {
    kafkaBrokers: [toAddress(broker.listeners['SASLTLS']!)],
    clients: clientsOf({ ...scram, 'ssl.ca.location': certificates.ca }),
  }
  await fixture.startAndStop(bySasl)
  expect(await fixture.committed()).toEqual(new Map([[0, 1]]))
  await fixture.produce([{ key: 'b', value: '2' }])
  await fixture.startAndStop({
    kafkaBrokers: [toAddress(broker.listeners['MUTUAL']!)],
    clients: clientsOf({
      'security.protocol': 'ssl',
      'ssl.ca.location': certificates.ca,
      'ssl.certificate.location': certificates.client.certificate,
      'ssl.key.location': certificates.encryptedKey,
      'ssl.key.password': keyPassword,
    }),
  })
})

test('the three clients may have separate listeners and users', async () => {
  const { broker, certificates, fixture } = await setUp()
  await using _ = fixture
  const { source, changelog, storeId } = fixture
  await grant(
    broker,
    'alice',
    ['READ', 'TOPIC', source],
    ['READ', 'GROUP', storeId],
    ['DESCRIBE', 'TOPIC', changelog],
    ['CREATE', 'TOPIC', changelog],
  )
  await grant(broker, 'bob', ['WRITE', 'TOPIC', changelog], ['WRITE', 'TRANSACTIONAL_ID', `latchkey-${storeId}-`])
  await grant(broker, 'sam', ['READ', 'TOPIC', changelog])
  const plain = (user: string) =>
    clientsOf({
      'bootstrap.servers': broker.listeners['SASLPLAINTEXT']!,
      'security.protocol': 'sasl_plaintext',
      'sasl.mechanism': 'PLAIN',
      'sasl.username': user,
      'sasl.password': passwordOf(user),
    })
  const { changelog: reader } = clientsOf({
    ...scram,
    'ssl.ca.location': certificates.ca,
    'bootstrap.servers': broker.listeners['SASLTLS']!,
  })
  await fixture.startAndStop({
    clients: { consumer: plain('alice').consumer, producer: plain('bob').producer, changelog: reader },
  })
})

test('a wrong password ends the start with exit code 1 and one message', async () => {
  const { broker, fixture } = await setUp()
  await using _ = fixture
  const { exitCode, stderr, stdout } = await run({
    SOURCE_TOPIC: fixture.source,
    KAFKA_BROKERS: broker.listeners['SASLPLAINTEXT']!,
    KAFKA_PROPERTIES: 'security.protocol=sasl_plaintext,sasl.mechanism=PLAIN,sasl.username=alice,sasl.password=wr0ng',
  })
  expect(exitCode).toBe(1)
  const logged = stderr.split('\n').filter((line) => line.includes('SASL PLAIN as user alice'))
  expect(logged).toEqual([
    expect.stringMatching(/^latchkey: store .* has failed: .*correct sasl.username and sasl.password/),
  ])
  expect(stdout + stderr).not.toContain('wr0ng')
})

test('--check reports missing permissions with exit code 1, and shows no secret', async () => {
  const { broker, fixture, allow } = await setUp()
  await using _ = fixture
  const environment = {
    SOURCE_TOPIC: fixture.source,
    KAFKA_BROKERS: broker.listeners['SASLPLAINTEXT']!,
    KAFKA_PROPERTIES: `security.protocol=sasl_plaintext,sasl.mechanism=SCRAM-SHA-256,sasl.username=sam,sasl.password=${scramPassword}`,
  }
  const refused = await run(environment, '--check')
  expect(refused.exitCode).toBe(1)
  expect(refused.stderr).toContain(`User:sam lacks Read on topic ${fixture.source}`)
  expect(refused.stderr).toContain('kafka-acls.sh --bootstrap-server')
  await allow('sam')
  const granted = await run(environment, '--check')
  expect(granted).toMatchObject({ exitCode: 0 })
  expect(granted.stdout).not.toContain(`Read on topic ${fixture.source}`)
  expect(granted.stdout).toContain('a start would succeed')
  expect(granted.stdout + granted.stderr + refused.stderr).not.toContain(scramPassword)
})

test('a store whose password is changed while it runs reports it, still serves, and continues when it is right again', async () => {
  const { broker, fixture, allow } = await setUp()
  await using _ = fixture
  await allow('rita')
  const setPassword = async (password: string) => {
    const config = `SCRAM-SHA-256=[password=${password}]`
    const args = ['--bootstrap-server', broker.direct, '--alter', '--add-config', config, '--entity-type', 'users']
    const { exitCode, stderr } = await broker.java('kafka.admin.ConfigCommand', [...args, '--entity-name', 'rita'])
    expect(stderr.includes('Exception') || exitCode !== 0 ? stderr : '').toBe('')
  }
  await setPassword('first')
  const store = fixture.open({
    kafkaBrokers: [toAddress(broker.listeners['SASLPLAINTEXT']!)],
    clients: clientsOf({
      'security.protocol': 'sasl_plaintext',
      'sasl.mechanism': 'SCRAM-SHA-256',
      'sasl.username': 'rita',
      'sasl.password': 'first',
    }),
  })
  await fixture.quiet(store)
  await setPassword('second')
  await broker.stop() // connections end, and the next ones have to authenticate
  await broker.start()
  await until('it is reported', () => store.status().reason?.includes('as user rita: the broker refused') === true)
  expect(store.state).toBe('running')
  expect(Buffer.from((await fixture.get(store, 'a'))!.value).toString()).toBe('1')
  await setPassword('first')
  await fixture.produce([{ key: 'b', value: '2' }])
  await fixture.quiet(store)
  await fixture.expectConverged(store)
})
