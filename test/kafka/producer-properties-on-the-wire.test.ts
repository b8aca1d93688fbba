/** Client properties of the producer by what they do: what a store sends to its broker, and what the broker then holds. */
import { expect, test } from 'bun:test'
import {
  batchesOf,
  clients,
  fixtureOf,
  messages,
  observeBroker,
  observed,
  valueOf,
} from '../support/kafka/proxies/observed-stores.ts'
import { until } from '../support/until.ts'

observeBroker()

test('the producer writes as its properties say', async () => {
  await using fixture = await fixtureOf()
  await fixture.produce(messages)
  const text = 'acks=1,request.timeout.ms=12345,client.id=writer,transactional.id=mine,transaction.timeout.ms=23456'
  const store = fixture.open({ clients: clients({ producer: text }) })
  await fixture.quiet(store)
  await fixture.expectConverged(store)
  expect(observed.wire.produces[0]).toMatchObject({
    acks: 1,
    timeoutMs: 12_345,
    clientId: 'writer',
    topic: fixture.changelog,
  })
  // Kafka may ask for another try.
  const identities = new Set(observed.wire.producerIds.map((one) => JSON.stringify(one)))
  expect([...identities]).toEqual([JSON.stringify({ transactionalId: 'mine-0', transactionTimeoutMs: 23_456 })])
})

test('the producer asks for all in-sync replicas, and has the store’s name, by default', async () => {
  await using fixture = await fixtureOf()
  await fixture.produce(messages)
  await fixture.startAndStop()
  expect(observed.wire.produces[0]).toMatchObject({
    acks: -1,
    timeoutMs: 30_000,
    clientId: `latchkey-${fixture.storeId}`,
  })
  expect(observed.wire.producerIds[0]!.transactionalId).toBe(`latchkey-${fixture.storeId}-0`)
})

test.each([
  ['none', 0],
  ['gzip', 1],
  ['snappy', 2],
  ['lz4', 3],
  ['zstd', 4],
])(
  'the changelog is compressed with %s, and recovered from, and read by Kafka’s own consumer',
  async (codec, number) => {
    await using fixture = await fixtureOf()
    // Longer than a block of any codec.
    const long = Array.from({ length: 20_000 }, (_, index) => `${(index * 7919) % 997}:${index % 31}`).join(' ')
    const sent = [...messages, { key: 'long', value: long }]
    await fixture.produce(sent)
    await fixture.startAndStop({ clients: clients({ producer: `compression.type=${codec}` }) })
    const batches = await batchesOf(fixture)
    expect(new Set(batches.map(({ compression }) => compression))).toEqual(new Set([number]))
    if (number > 0) expect(batches.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(long.length)
    const recovered = fixture.open()
    await fixture.quiet(recovered)
    await fixture.expectConverged(recovered)
    const args = [
      '--bootstrap-server',
      observed.broker.direct,
      '--topic',
      fixture.changelog,
      '--from-beginning',
      '--max-messages',
      '4',
    ]
    const { stdout } = await observed.broker.java('org.apache.kafka.tools.consumer.ConsoleConsumer', args)
    expect(stdout.trimEnd().split('\n').toSorted()).toEqual(sent.map(({ value }) => value).toSorted())
  },
)

test('compression.level is that of the codec', async () => {
  const sizeAt = async (level: number) => {
    await using fixture = await fixtureOf()
    const value = Array.from({ length: 4000 }, (_, index) => `${(index * 7919) % 1000},${index % 13}`).join(';')
    await fixture.produce([{ key: 'a', value }])
    await fixture.startAndStop({ clients: clients({ producer: `compression.type=gzip,compression.level=${level}` }) })
    return (await batchesOf(fixture)).reduce((sum, { bytes }) => sum + bytes, 0)
  }
  expect(await sizeAt(1)).toBeGreaterThan(await sizeAt(9))
})

test('a record larger than the changelog accepts is stored when compression makes it fit', async () => {
  await using fixture = await fixtureOf({ changelog: { 'max.message.bytes': '2000' } })
  await fixture.produce([{ key: 'a', value: 'x'.repeat(20_000) }])
  const store = fixture.open({ clients: clients({ producer: 'compression.type=lz4' }) })
  await fixture.quiet(store)
  expect(await valueOf(store, 'a')).toBe('x'.repeat(20_000))
})

test('batches have as many records as batch.num.messages says, and as many bytes as batch.size', async () => {
  const batchesWith = async (text: string) => {
    await using fixture = await fixtureOf()
    await fixture.produce(Array.from({ length: 10 }, (_, index) => ({ key: `${index}`, value: 'x'.repeat(100) })))
    await fixture.startAndStop({ clients: clients({ producer: text }) })
    return batchesOf(fixture)
  }
  expect((await batchesWith('batch.num.messages=3')).map(({ records }) => records)).toEqual([3, 3, 3, 1])
  const small = await batchesWith('batch.size=600')
  expect(small.length).toBeGreaterThan(2)
  for (const { bytes } of small) expect(bytes).toBeLessThanOrEqual(600)
})

test('a record beyond message.max.bytes is skipped and counted', async () => {
  await using fixture = await fixtureOf()
  await fixture.produce([...messages, { key: 'large', value: 'x'.repeat(5000) }])
  const store = fixture.open({ clients: clients({ producer: 'message.max.bytes=2000' }) })
  await fixture.quiet(store)
  expect(store.stats.count('skippedTooLarge')).toBe(1)
  expect(await valueOf(store, 'large')).toBeUndefined()
  expect(await valueOf(store, 'a')).toBe(messages[0]!.value)
})

test('a batch waits for linger.ms, but not while a flush does', async () => {
  await using fixture = await fixtureOf()
  const store = fixture.open({ clients: clients({ producer: 'linger.ms=600000', consumer: 'fetch.wait.max.ms=20' }) })
  await fixture.quiet(store)
  for (const message of messages) {
    const before = store.stats.count('recordsConsumed')
    await fixture.produce([message])
    await until('it is read', () => store.stats.count('recordsConsumed') > before)
  }
  expect(await batchesOf(fixture)).toEqual([])
  await store.flush()
  expect((await batchesOf(fixture)).map(({ records }) => records)).toEqual([3])
})

test('a lingering batch is written when its time is over', async () => {
  await using fixture = await fixtureOf()
  const store = fixture.open({ clients: clients({ producer: 'linger.ms=50' }) })
  await fixture.quiet(store)
  await fixture.produce(messages)
  await until('it is written', () => store.stats.count('changelogRecords') === 3)
})

test('batches have no producer id when enable.idempotence and fencing are off', async () => {
  await using fixture = await fixtureOf()
  await fixture.produce(messages)
  const settings = { clients: clients({ producer: 'enable.idempotence=false' }), fencing: false }
  await fixture.startAndStop(settings)
  expect((await batchesOf(fixture)).map(({ producerId }) => producerId)).toEqual([-1])
  expect(observed.wire.producerIds).toEqual([])
})
