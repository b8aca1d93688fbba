/** ON_BAD_RECORD=dead-letter: what cannot be stored is in another topic before anything after it is stored. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { randomBytes } from 'node:crypto'
import { describeTopic } from '../../lib/kafka/topics.ts'
import { decodeKeptHeaders } from '../../lib/store-protocol/header-prefix.ts'
import { api } from '../support/fault-run/wire.ts'
import { type KafkaBroker, startKafka } from '../support/kafka/index.ts'
import {
  badRecord,
  deadLetterSettings,
  deadLetterTopicOf,
  onProduceTo,
  timestamp,
} from '../support/store/dead-letters.ts'
import { Fixture } from '../support/store/fixture.ts'
import { readDeadLetters } from '../support/store/read-dead-letters.ts'
import { withClient } from '../support/store/topic-log.ts'
import { until } from '../support/until.ts'

let broker: KafkaBroker

beforeAll(async () => {
  broker = await startKafka({ proxy: true })
})

afterAll(() => broker.close())

test('a bad record goes to the dead-letter topic unchanged, with the reason', async () => {
  await using fixture = await Fixture.create({ broker, partitions: 2, source: { 'max.message.bytes': '5000' } })
  await fixture.produce([{ key: 'a', value: '1' }, badRecord, { key: 'b', value: '2' }])
  await fixture.produce([{ ...badRecord, partition: 1, value: null }])
  const store = fixture.openLogged(deadLetterSettings(fixture))
  await fixture.quiet(store)
  await fixture.expectConverged(store)
  const errors = {
    '__latchkey.errors.reason': 'null_key',
    '__latchkey.errors.message': 'it has no key',
    '__latchkey.errors.topic': fixture.source,
    '__latchkey.errors.store': fixture.storeId,
  }
  const headers = { trace: '7f', src: 'theirs', ...errors }
  const at = (partition: number, offset: number) => ({
    '__latchkey.errors.partition': String(partition),
    '__latchkey.errors.offset': String(offset),
  })
  expect(await readDeadLetters(fixture.cluster, deadLetterTopicOf(fixture), 2)).toEqual([
    { partition: 0, key: null, value: 'no key', timestamp, headers: { ...headers, ...at(0, 1) } },
    { partition: 1, key: null, value: null, timestamp, headers: { ...headers, ...at(1, 0) } },
  ])
  expect(store.stats.count('deadLetters')).toBe(2)
  expect(store.stats.count('skippedNullKey')).toBe(2)
  await fixture.logged(`partition 0 offset 1: record written to ${deadLetterTopicOf(fixture)}, it has no key`)
  const config = await withClient(broker.direct, (client) => describeTopic(client, deadLetterTopicOf(fixture)))
  expect(config!.get('cleanup.policy')).toBe('delete')
  expect(config!.get('retention.ms')).toBe('-1')
  expect(Number(config!.get('max.message.bytes'))).toBeGreaterThan(5000)
  await store.close()
  expect(await fixture.committed()).toEqual(
    new Map([
      [0, 3],
      [1, 1],
    ]),
  )
})

test('a dead letter omits what the dead-letter topic has no room for, and notes that', async () => {
  await using fixture = await Fixture.create({ broker })
  await fixture.cluster.admin((admin) =>
    admin
      .createTopics({
        topics: [
          {
            topic: deadLetterTopicOf(fixture),
            numPartitions: 1,
            configEntries: [
              { name: 'max.message.bytes', value: '2000' },
              { name: 'retention.ms', value: '-1' },
            ],
          },
        ],
      })
      .then(() => {}),
  )
  const large = 'x'.repeat(3000)
  await fixture.produce([
    { ...badRecord, value: large },
    { ...badRecord, headers: { trace: large } },
    { key: 'a', value: '1' },
  ])
  const store = fixture.open(deadLetterSettings(fixture))
  await fixture.quiet(store)
  const letters = await readDeadLetters(fixture.cluster, deadLetterTopicOf(fixture), 2)
  expect(letters.map(({ value, headers }) => [value, headers['trace'], headers['__latchkey.errors.omitted']])).toEqual([
    [null, '7f', 'value'],
    [null, undefined, 'value, headers'],
  ])
  await fixture.expectConverged(store)
})

test('a record that the changelog refuses goes to the dead-letter topic as the source has it', async () => {
  await using fixture = await Fixture.create({ broker })
  const store = fixture.openLogged(deadLetterSettings(fixture))
  await fixture.quiet(store)
  await fixture.cluster.configure(fixture.changelog, { 'max.message.bytes': '20000' })
  const large = { value: randomBytes(20_000).toString('base64'), headers: { trace: '7f' } }
  await fixture.produce([
    { key: 'a', value: '1' },
    { key: 'large', ...large },
    { key: 'b', value: '2' },
  ])
  await fixture.quiet(store)
  expect(await fixture.value(store, 'b')).toBe('2')
  const [letter] = await readDeadLetters(fixture.cluster, deadLetterTopicOf(fixture), 1)
  expect(letter).toMatchObject({ key: 'large', value: large.value, headers: { trace: '7f' } })
  expect(letter!.headers).toMatchObject({
    '__latchkey.errors.reason': 'too_large',
    '__latchkey.errors.offset': '1',
    '__latchkey.errors.message': expect.stringContaining('the changelog refuses it'),
  })
  expect(letter!.headers).not.toHaveProperty('src')
})

test('a record that a store module refuses is a dead letter as the source has it, and callbacks continue after it', async () => {
  await using fixture = await Fixture.create({ broker })
  const module = new URL('../support/store/modules/counting.ts', import.meta.url).href
  const settings = deadLetterSettings(fixture, { module, keepHeaders: ['trace'] })
  const message = (value: object | string) => ({
    key: 'a',
    value: typeof value === 'string' ? value : JSON.stringify(value),
    headers: { trace: '7f' },
  })
  const thrown = message({ n: 2, as: 'throw' })
  await fixture.produce([message({ n: 1 }), thrown, message({ n: 3 }), message('{'), message({ n: 4 })])
  const store = fixture.open(settings)
  await fixture.quiet(store)
  expect(await fixture.value(store, 'a')).toBe('{"n":4,"updates":2}')
  expect(decodeKeptHeaders((await fixture.get(store, 'a'))!).map(([name]) => name)).toEqual(['trace'])
  const letters = await readDeadLetters(fixture.cluster, deadLetterTopicOf(fixture), 2)
  expect(letters.map(({ value, headers }) => [value, headers['trace'], headers['__latchkey.errors.reason']])).toEqual([
    [thrown.value, '7f', 'conversion'],
    ['{', '7f', 'invalid_value'],
  ])
  expect(letters[0]!.headers['__latchkey.errors.message']).toContain('counting.ts:')
})

test('nothing after a dead letter is stored or committed before its acknowledgement, and it is retried', async () => {
  await using fixture = await Fixture.create({ broker })
  const [host = '', port = ''] = broker.bootstrap.split(':')
  const kafkaBrokers = [{ host, port: Number(port) }]
  const store = fixture.open(deadLetterSettings(fixture, { kafkaBrokers }))
  await fixture.produce([{ key: 'before', value: '1' }])
  await fixture.quiet(store)
  const held = Promise.withResolvers<undefined>()
  let attempts = 0
  onProduceTo(broker, deadLetterTopicOf(fixture), () => {
    attempts++
    return held.promise
  })
  await fixture.produce([badRecord, { key: 'behind', value: '2' }])
  await until('the letter is under way', () => attempts > 0)
  await fixture.produce([{ key: 'later', value: '3' }])
  await until('it was read', () => store.stats.count('recordsConsumed') === 4)
  expect((await fixture.readChangelog()).records.map(({ key }) => key)).toEqual(['before'])
  expect(store.status().details[0]!.position).toBe(1)
  let hasClosed = false
  broker.proxy!.onResponse = ({ request }) => {
    if (request?.apiKey !== api.produce || hasClosed) return undefined
    hasClosed = true
    return 'cut' // the letter is written, and its acknowledgement is lost
  }
  held.resolve(undefined)
  await fixture.quiet(store)
  expect(attempts).toBeGreaterThan(1)
  expect((await fixture.readChangelog()).records.map(({ key }) => key)).toEqual(['before', 'behind', 'later'])
  expect(await readDeadLetters(fixture.cluster, deadLetterTopicOf(fixture), attempts)).toHaveLength(2)
  broker.proxy!.onRequest = broker.proxy!.onResponse = undefined
})
