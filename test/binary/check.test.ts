/** What --check tells: little where all is well, and everything that a start would meet. */
import { beforeAll, expect, test } from 'bun:test'
import { type KafkaBroker, createTopic, sharedKafka, uniqueName } from '../kafka/index.ts'
import { avroSchema, FakeRegistry } from '../format/registry/fake-registry.ts'
import { runLatchkey } from './run-latchkey.ts'

let broker: KafkaBroker
let topic: string

beforeAll(async () => {
  broker = await sharedKafka()
  topic = await createTopic(broker, uniqueName('check'), { partitions: 4 })
})

function checked(settings: Record<string, string> = {}) {
  const required = { SOURCE_TOPIC: topic, KAFKA_BROKERS: broker.bootstrap, SERVER_BIND: '127.0.0.1' }
  return runLatchkey({ settings: { ...required, ...settings }, args: ['--check'] })
}

test('--check is short where all is well', async () => {
  const { stdout, stderr, exitCode } = await checked()
  expect([stderr, exitCode]).toEqual(['', 0])
  const lines = stdout.trimEnd().split('\n')
  expect(lines, stdout).toHaveLength(7)
  expect(lines).toContain(`source ${topic}: 4 partitions, primary here: 0-3`)
  expect(lines).toContain(`fencing: transactional ids latchkey-${topic}-<partition>`)
  expect(lines.at(-1)).toBe('all is well: a start would do')
})

test('--check asks the schema registry, and tells what it has', async () => {
  await using registry = new FakeRegistry([avroSchema(7, 'a', `${topic}-value`)])
  const settings = { VALUE_FORMAT: 'avro', SCHEMA_REGISTRY_URL: registry.url }
  const both = await checked({ ...settings, KEY_FORMAT: 'avro' })
  expect([both.stderr, both.exitCode]).toEqual(['', 0])
  expect(both.stdout).toContain(
    `schema registry ${registry.url}: it answers; subject ${topic}-key has no schema yet; the latest schema of subject ${topic}-value has id 7\n`,
  )
})

test('--check ends with 1 where the schema registry does not answer, and still tells of the topics', async () => {
  const registry = new FakeRegistry()
  await registry.stop()
  const { stdout, stderr, exitCode } = await checked({ VALUE_FORMAT: 'avro', SCHEMA_REGISTRY_URL: registry.url })
  expect(exitCode).toBe(1)
  expect(stdout).toContain(`source ${topic}: 4 partitions`)
  expect(stdout).not.toContain('all is well')
  expect(stderr).toBe(
    `latchkey: Asking the schema registry ${registry.url} for the latest schema of subject ${topic}-value: it cannot be reached: ECONNREFUSED\n`,
  )
})

test('--check ends with 1 where the schema registry wants other credentials, and shows none', async () => {
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
  expect(messages.at(-1)).toBe('all is well: a start would do')
})
