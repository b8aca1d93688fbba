/** Output of --check: short without problems, else everything that would stop a start. */
import { beforeAll, expect, test } from 'bun:test'
import { LatchkeyProcess, localPort } from '../support/binary/latchkey-process.ts'
import { runLatchkey } from '../support/binary/run-latchkey.ts'
import { avroSchema, FakeRegistry } from '../support/format/registry/fake-registry.ts'
import { createTopic, type KafkaBroker, sharedKafka, uniqueName } from '../support/kafka/index.ts'

let broker: KafkaBroker
let topic: string

beforeAll(async () => {
  broker = await sharedKafka()
  topic = await createTopic(broker, uniqueName('check'), { partitions: 4 })
})

function checked(settings: Record<string, string> = {}) {
  const required = { SOURCE_TOPIC: topic, KAFKA_BROKERS: broker.bootstrap, ...localPort }
  return runLatchkey({ settings: { ...required, ...settings }, args: ['--check'] })
}

test('--check is short when there are no problems', async () => {
  const { stdout, stderr, exitCode } = await checked()
  expect([stderr, exitCode]).toEqual(['', 0])
  const lines = stdout.trimEnd().split('\n')
  expect(lines, stdout).toHaveLength(7)
  expect(lines).toContain(`source ${topic}: 4 partitions, primary here: 0-3`)
  expect(lines).toContain(`fencing: transactional ids latchkey-${topic}-<partition>`)
  expect(lines.at(-1)).toBe('no problems found: a start would succeed')
})

test('--check refuses an address that the machine lacks, as a start does', async () => {
  const { stdout, stderr, exitCode } = await checked({ SERVER_BIND: '192.0.2.1' })
  expect([stderr, exitCode]).toEqual([
    'latchkey: Listening at 192.0.2.1 port 0: this machine has no such address; choose another SERVER_BIND, such as 0.0.0.0 for all that it has\n',
    1,
  ])
  expect(stdout).not.toContain('a start would succeed')
})

test('--check warns of a port that is in use, and does not say that there are no problems', async () => {
  using other = Bun.serve({ port: 0, hostname: '127.0.0.1', reusePort: false, fetch: () => new Response() })
  const { stdout, stderr, exitCode } = await checked({ SERVER_PORT: `${other.port}` })
  expect([stderr, exitCode]).toEqual(['', 0])
  expect(stdout).toContain(`warning: the port ${other.port} at 127.0.0.1 is in use, perhaps by an instance that runs.`)
  expect(stdout).toEndWith('\na start would succeed once the port is free, with the warning above\n')
})

test('--check counts warnings about the settings, and does not say that HTTP listens', async () => {
  const { stdout, stderr, exitCode } = await checked({ SERVER_BIND: '0.0.0.0', LOG_LEVEL: 'error' })
  expect([stderr, exitCode]).toEqual(['', 0])
  expect(stdout).toContain('\nwarning: HTTP would listen at 0.0.0.0 without a token: ')
  expect(stdout).toEndWith('\na start would succeed, with the warning above\n')
})

test('--check queries the schema registry and reports what it has', async () => {
  await using registry = new FakeRegistry([avroSchema(7, 'a', `${topic}-value`)])
  const settings = { VALUE_FORMAT: 'avro', SCHEMA_REGISTRY_URL: registry.url }
  const both = await checked({ ...settings, KEY_FORMAT: 'avro' })
  expect([both.stderr, both.exitCode]).toEqual(['', 0])
  expect(both.stdout).toContain(
    `schema registry ${registry.url}: it answers; subject ${topic}-key has no schema yet; the latest schema of subject ${topic}-value has id 7\n`,
  )
})

test('--check exits with 1 when the schema registry does not answer, and still reports on the topics', async () => {
  const registry = new FakeRegistry()
  await registry.stop()
  const { stdout, stderr, exitCode } = await checked({ VALUE_FORMAT: 'avro', SCHEMA_REGISTRY_URL: registry.url })
  expect(exitCode).toBe(1)
  expect(stdout).toContain(`source ${topic}: 4 partitions`)
  expect(stdout).not.toContain('no problems found')
  expect(stderr).toBe(
    `latchkey: Asking the schema registry ${registry.url} for the latest schema of subject ${topic}-value: it cannot be reached: ECONNREFUSED\n`,
  )
})

test('--check exits with 1 when the schema registry refuses the credentials, and shows none', async () => {
  await using registry = new FakeRegistry()
  registry.fault = () => new Response('', { status: 401 })
  const settings = { SCHEMA_REGISTRY_URL: registry.url, SCHEMA_REGISTRY_CREDENTIALS: 'latchkey:s=cret' }
  const { stdout, stderr, exitCode } = await checked({ ...settings, VALUE_FORMAT: 'protobuf' })
  expect(exitCode).toBe(1)
  expect(stderr).toContain('it answers 401, it asks for other credentials: see SCHEMA_REGISTRY_CREDENTIALS')
  expect(stdout + stderr).not.toContain('s=cret')
})

test('--check writes JSON and nothing else with STRUCTURED_LOGGING', async () => {
  const { stdout, stderr, exitCode } = await checked({ STRUCTURED_LOGGING: 'true' })
  expect([stdout, exitCode]).toEqual(['', 0])
  const messages = stderr
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { message: string }).message)
  expect(messages.at(-1)).toBe('no problems found: a start would succeed')
})

test('--check writes a warning as one with STRUCTURED_LOGGING', async () => {
  const { stderr } = await checked({ STRUCTURED_LOGGING: 'true', LOG_LEVEL: 'warning', SERVER_BIND: '0.0.0.0' })
  const lines = stderr.trimEnd().split('\n')
  expect(lines.map((line) => JSON.parse(line) as object)).toEqual([
    expect.objectContaining({ level: 'warning', message: expect.stringContaining('HTTP would listen at 0.0.0.0') }),
  ])
})

test('--check with ELASTIC describes the group that a start would join, and joins nothing', async () => {
  const elastic = { ELASTIC: 'true', STORE_ID: uniqueName('check-group') }
  const settings = { SOURCE_TOPIC: topic, KAFKA_BROKERS: broker.bootstrap, ...localPort, ...elastic }
  const none = await checked(elastic)
  expect(none.exitCode).toBe(0)
  expect(none.stdout).toContain(`\ngroup ${elastic.STORE_ID}: it has no members; this instance would be the first\n`)
  expect(none.stdout).toContain('\nother instances would reach this one at http://127.0.0.1:<port>\n')
  expect(none.stdout).toContain('\nwarning: ADVERTISED_URL http://127.0.0.1:<port>: only instances of this machine ')
  const member = await LatchkeyProcess.start({ settings })
  try {
    await member.until('it is ready', () => member.isReady())
    const { stdout, stderr, exitCode } = await checked({ ...elastic, KEEP_HEADERS: 'trace' })
    expect([stderr, exitCode]).toEqual(['', 0])
    const lines = stdout.split('\n')
    expect(lines).toContain(`source ${topic}: 4 partitions, which the group assigns`)
    expect(lines).toContain(`group ${elastic.STORE_ID}: Stable with 1 member, protocol latchkey-1`)
    expect(lines).toContain(`group members: ${member.url}`)
    expect(lines).toContain('warning: settings that differ between instances: KEEP_HEADERS')
    const group = await (await member.get('/group', { headers: { accept: 'application/json' } })).json()
    expect(group).toMatchObject({ state: 'stable', members: [{ isSelf: true, primaries: [0, 1, 2, 3] }] })
  } finally {
    await member.close()
  }
})
