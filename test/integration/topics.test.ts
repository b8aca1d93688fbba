import { expect, test } from 'bun:test'
import { checkTopics } from '../../lib/topics/check.ts'
import { createTopic, uniqueName } from '../support/kafka/index.ts'
import { Fixture } from '../support/store/fixture.ts'

const advised = { 'max.message.bytes': '2000000' }

async function settings(fixture: Fixture, topic: string): Promise<Map<string, string>> {
  const { resources } = await fixture.cluster.admin((admin) =>
    admin.describeConfigs({ resources: [{ type: 2, name: topic }], includeSynonyms: false }),
  )
  return new Map(resources[0]!.configEntries.map(({ configName, configValue }) => [configName, configValue]))
}

test('a store creates its changelog when there is none: compacted, as many partitions, room for the header', async () => {
  await using fixture = await Fixture.create({ partitions: 3, source: { 'max.message.bytes': '2000000' } })
  const planned = await checkTopics(fixture.config())
  expect(planned.join('\n')).toContain(
    `changelog ${fixture.changelog}: would be created with 3 partitions, cleanup.policy=compact`,
  )
  const store = fixture.open()
  await fixture.quiet(store)
  const found = await settings(fixture, fixture.changelog)
  expect(found.get('cleanup.policy')).toBe('compact')
  expect(Number(found.get('max.message.bytes'))).toBeGreaterThan(2_000_000)
  expect(found.get('message.timestamp.after.max.ms')).toBe('9223372036854775807')
  expect((await fixture.readChangelog()).ends.size).toBe(3)
  const checked = await checkTopics(fixture.config())
  expect(checked.filter((line) => line.startsWith('warning'))).toEqual([])
})

test.each([1, 16])('a store of %d partitions holds all of them', async (partitions) => {
  await using fixture = await Fixture.create({ partitions })
  const messages = Array.from({ length: 320 }, (_, i) => ({
    partition: i % partitions,
    key: `key-${i}`,
    value: `value-${i}`,
  }))
  await fixture.produce(messages)
  await fixture.startAndStop()
  const store = fixture.open()
  await fixture.quiet(store)
  await fixture.expectConverged(store)
  expect(store.status().partitions.primary).toEqual(Array.from({ length: partitions }, (_, i) => i))
  expect(store.status().details.every(({ state, role }) => state === 'running' && role === 'primary')).toBe(true)
})

test('a store fails, and names the topic, when the source topic does not exist', async () => {
  await using fixture = await Fixture.create()
  const missing = uniqueName('missing')
  const store = fixture.open({ sourceTopic: missing })
  const error = await store.failed
  expect(error).toMatchObject({ code: 'topics_unfit' })
  expect(error.message).toContain(`source topic ${missing} does not exist on ${fixture.cluster.broker.bootstrap}`)
  expect(store.status()).toMatchObject({ state: 'failed', reason: error.message })
  expect(() => store.get(Buffer.from('key'))).toThrow(expect.objectContaining({ code: 'store_failed' }))
  expect(
    store
      .status()
      .conditions.filter(({ ok }) => !ok)
      .map(({ name }) => name),
  ).toContain('not_failed')
})

test('a store fails, and says what to do, when the changelog has another number of partitions', async () => {
  await using fixture = await Fixture.create({ partitions: 3 })
  await createTopic(fixture.cluster.broker, fixture.changelog, {
    partitions: 4,
    config: { 'cleanup.policy': 'compact' },
  })
  for (const failing of [fixture.open().failed, checkTopics(fixture.config()).catch((error: Error) => error)]) {
    const error = (await failing) as Error
    expect(error).toMatchObject({ code: 'topics_unfit' })
    expect(error.message).toContain(
      `source ${fixture.source} has 3 partitions, changelog ${fixture.changelog} has 4: they must be equal`,
    )
  }
})

test.each([
  ['delete', 'and it grows with every update; set cleanup.policy=compact on it'],
  ['compact,delete', 'what its retention removes is missing after a restart; set cleanup.policy=compact on it'],
])('a store warns, and works, when the changelog has cleanup.policy=%s', async (policy, warning) => {
  await using fixture = await Fixture.create({ changelog: { ...advised, 'cleanup.policy': policy } })
  await fixture.produce([{ key: 'a', value: '1' }])
  const store = fixture.openLogged()
  await fixture.quiet(store)
  await fixture.expectConverged(store)
  expect(fixture.lines.filter((line) => line.startsWith('warning'))).toEqual([expect.stringContaining(warning)])
})

test('a store warns of each thing when the changelog is small, not compacted and stamps records itself', async () => {
  const changelog = {
    'max.message.bytes': '9000',
    'cleanup.policy': 'delete',
    'message.timestamp.type': 'LogAppendTime',
  }
  await using fixture = await Fixture.create({ changelog })
  await fixture.produce([{ key: 'a', value: '1' }])
  for (let start = 0; start < 2; start++) {
    const store = fixture.openLogged()
    await fixture.quiet(store)
    await fixture.expectConverged(store)
    await store.close()
  }
  const warned = ['max.message.bytes=9000', 'cleanup.policy=delete', 'message.timestamp.type=LogAppendTime']
  for (const warning of warned) await fixture.logged(warning)
  expect(fixture.hasLogged('recreated')).toBe(false)
})
