/** Client properties by what they do: what a store sends to its broker, what the broker then holds, what lookups then show. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test'
import { readClientProperties } from '../../lib/config/client-properties/read.ts'
import { RecordBatchReader } from '../../lib/kafka/record-batch/index.ts'
import type { ClientName, ClientsConfig } from '../../lib/contract/client-config.ts'
import type { Store } from '../../lib/store/store.ts'
import { Fixture, type FixtureOptions } from '../integration/support/fixture.ts'
import { until } from '../until.ts'
import { type KafkaBroker, startKafka } from './index.ts'
import { RawConnection } from './record-batch/raw-connection.ts'
import { Wire } from './wire.ts'

let broker: KafkaBroker
beforeAll(async () => {
  broker = await startKafka({ proxy: true })
})
afterAll(() => broker.close())

let wire: Wire
beforeEach(async () => {
  // Bun kills the children of its process when a test times out.
  if (broker.logDir !== undefined && broker.pid === undefined) await broker.start()
  broker.proxy!.onResponse = undefined
  wire = new Wire(broker.proxy!)
})

const variables: Record<ClientName, string> = {
  consumer: 'KAFKA_CONSUMER_PROPERTIES',
  producer: 'KAFKA_PRODUCER_PROPERTIES',
  changelog: 'KAFKA_CHANGELOG_PROPERTIES',
}

function clients(texts: Partial<Record<ClientName, string>>): ClientsConfig {
  const given = Object.entries(texts) as [ClientName, string][]
  const read = readClientProperties(
    given.map(([client, text]) => ({ variable: variables[client], clients: [client], text, byLine: false })),
  )
  expect(read.faults).toEqual([])
  return read.clients
}

const fixtureOf = (options: FixtureOptions = {}) => Fixture.create({ broker, ...options })

/** Three records, one value that compresses. */
const messages = ['a', 'b', 'c'].map((key) => ({ key, value: `${key}-`.repeat(400) }))

/** Every batch of records that the changelog's partition 0 holds. */
async function batchesOf(
  fixture: Fixture,
): Promise<{ compression: number; records: number; bytes: number; producerId: number }[]> {
  const connection = await RawConnection.open(broker.direct)
  const batches = new RecordBatchReader()
  const found = []
  try {
    const { ends } = await fixture.readChangelog()
    for (let position = 0; position < ends.get(0)!; position = batches.nextOffset) {
      const records = await connection.fetch(fixture.changelog, 0, position)
      batches.open(records, 0, records.length)
      while (batches.nextBatch()) {
        const { compression, recordCount, batchBytes, producerId, isControl } = batches
        if (!isControl) found.push({ compression, records: recordCount, bytes: batchBytes, producerId })
      }
    }
  } finally {
    connection.close()
  }
  return found
}

async function valueOf(store: Store, key: string): Promise<string | undefined> {
  const found = await store.get(Buffer.from(key))
  return found && Buffer.from(found.value).toString()
}

test('each consumer fetches its topic as its own properties say', async () => {
  await using fixture = await fixtureOf({ changelog: {} })
  await fixture.produce(messages)
  await fixture.startAndStop()
  wire = new Wire(broker.proxy!)
  const of = (id: string, number: number) =>
    `client.id=${id},fetch.wait.max.ms=${number},fetch.min.bytes=${number + 1},fetch.max.bytes=${number + 2},` +
    `max.partition.fetch.bytes=${number + 3},client.rack=rack-${id},isolation.level=read_uncommitted`
  const store = fixture.open({ clients: clients({ consumer: of('source', 110), changelog: of('log', 220) }) })
  await fixture.quiet(store)
  const expected = (clientId: string, topic: string, number: number) => ({
    clientId,
    topic,
    maxWaitMs: number,
    minBytes: number + 1,
    maxBytes: number + 2,
    partitionMaxBytes: number + 3,
    isolation: 0,
    rack: `rack-${clientId}`,
  })
  expect(wire.fetches).toContainEqual(expected('source', fixture.source, 110))
  expect(wire.fetches).toContainEqual(expected('log', fixture.changelog, 220))
})

test('the producer writes as its properties say', async () => {
  await using fixture = await fixtureOf()
  await fixture.produce(messages)
  const text = 'acks=1,request.timeout.ms=12345,client.id=writer,transactional.id=mine,transaction.timeout.ms=23456'
  const store = fixture.open({ clients: clients({ producer: text }) })
  await fixture.quiet(store)
  await fixture.expectConverged(store)
  expect(wire.produces[0]).toMatchObject({ acks: 1, timeoutMs: 12_345, clientId: 'writer', topic: fixture.changelog })
  // Kafka may ask for another try.
  const identities = new Set(wire.producerIds.map((one) => JSON.stringify(one)))
  expect([...identities]).toEqual([JSON.stringify({ transactionalId: 'mine-0', transactionTimeoutMs: 23_456 })])
})

test('the producer asks for all in-sync replicas, and takes the store’s name, when nothing is said', async () => {
  await using fixture = await fixtureOf()
  await fixture.produce(messages)
  await fixture.startAndStop()
  expect(wire.produces[0]).toMatchObject({ acks: -1, timeoutMs: 30_000, clientId: `latchkey-${fixture.storeId}` })
  expect(wire.producerIds[0]!.transactionalId).toBe(`latchkey-${fixture.storeId}-0`)
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
      broker.direct,
      '--topic',
      fixture.changelog,
      '--from-beginning',
      '--max-messages',
      '4',
    ]
    const { stdout } = await broker.java('org.apache.kafka.tools.consumer.ConsoleConsumer', args)
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

test('a record larger than the changelog accepts is stored when compression brings it down', async () => {
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

test('a batch that lingers is written by itself in the end', async () => {
  await using fixture = await fixtureOf()
  const store = fixture.open({ clients: clients({ producer: 'linger.ms=50' }) })
  await fixture.quiet(store)
  await fixture.produce(messages)
  await until('it is written', () => store.stats.count('changelogRecords') === 3)
})

test('batches belong to nobody when enable.idempotence and fencing are off', async () => {
  await using fixture = await fixtureOf()
  await fixture.produce(messages)
  const settings = { clients: clients({ producer: 'enable.idempotence=false' }), fencing: false }
  await fixture.startAndStop(settings)
  expect((await batchesOf(fixture)).map(({ producerId }) => producerId)).toEqual([-1])
  expect(wire.producerIds).toEqual([])
})

test('aborted records are taken for good with isolation.level=read_uncommitted, and not without', async () => {
  await using fixture = await fixtureOf()
  const producer = fixture.cluster.kafka.producer({ transactionalId: fixture.source, idempotent: true })
  await producer.connect()
  const transaction = await producer.transaction()
  await transaction.send({ topic: fixture.source, messages: [{ key: 'aborted', value: '1', partition: 0 }] })
  await transaction.abort()
  await producer.disconnect()
  await fixture.produce(messages)
  const store = fixture.open()
  await fixture.quiet(store)
  expect(await valueOf(store, 'aborted')).toBeUndefined()
  await store.close()
  await using other = await fixtureOf()
  const settings = { sourceTopic: fixture.source, clients: clients({ consumer: 'isolation.level=read_uncommitted' }) }
  const second = other.open(settings)
  await until('it has read all', () => second.stats.count('recordsConsumed') === 4)
  await second.flush()
  expect(await valueOf(second, 'aborted')).toBe('1')
})

test('a store begins at the end with auto.offset.reset=latest, and goes on there after a restart', async () => {
  await using fixture = await fixtureOf()
  await fixture.produce([{ key: 'before', value: '1' }])
  const settings = { clients: clients({ consumer: 'auto.offset.reset=latest' }) }
  const first = fixture.open(settings)
  await fixture.quiet(first)
  await first.close()
  await fixture.produce([{ key: 'between', value: '2' }])
  const second = fixture.open(settings)
  await fixture.quiet(second)
  await fixture.produce([{ key: 'after', value: '3' }])
  await fixture.quiet(second)
  const values = await Promise.all(['before', 'between', 'after'].map((key) => valueOf(second, key)))
  expect(values).toEqual([undefined, '2', '3'])
})

test('a store without a position ends with auto.offset.reset=error', async () => {
  await using fixture = await fixtureOf()
  const store = fixture.open({ clients: clients({ consumer: 'auto.offset.reset=error' }) })
  const failure = await store.failed
  expect(failure.message).toContain('neither the changelog nor the group has a position')
  expect(failure.message).toContain('auto.offset.reset=earliest')
})

/** Changes one byte of a value in every Fetch response, as a fault on the way would. */
function damageFetches(from: string, to: string): void {
  broker.proxy!.onResponse = ({ request, frame }) => {
    const at = request?.apiKey === 1 ? frame.indexOf(from) : -1
    if (at < 0) return undefined
    const damaged = Buffer.from(frame)
    damaged.write(to, at)
    return damaged
  }
}

test('a damaged batch is skipped, but taken with check.crcs=false', async () => {
  const storeWith = async (text: string) => {
    const fixture = await fixtureOf()
    await fixture.produce([{ key: 'a', value: 'genuine' }])
    damageFetches('genuine', 'forgery')
    const store = fixture.open({ clients: clients({ consumer: text }) })
    await fixture.quiet(store)
    const found = [await valueOf(store, 'a'), store.stats.count('skippedCorruptBatch')]
    broker.proxy!.onResponse = undefined
    await fixture[Symbol.asyncDispose]()
    return found
  }
  expect(await storeWith('check.crcs=true')).toEqual([undefined, 1])
  expect(await storeWith('check.crcs=false')).toEqual(['forgery', 0])
})

test('offsets are committed under group.id, and as often as auto.commit.interval.ms says', async () => {
  await using fixture = await fixtureOf()
  await fixture.produce(messages)
  const group = `${fixture.storeId}-group`
  const store = fixture.open({ clients: clients({ consumer: `group.id=${group},auto.commit.interval.ms=86400000` }) })
  await fixture.quiet(store)
  await Bun.sleep(1_200) // longer than the default
  expect(await fixture.cluster.committed(group, fixture.source)).toEqual(new Map([[0, -1]]))
  await store.close()
  expect(await fixture.cluster.committed(group, fixture.source)).toEqual(new Map([[0, 3]]))
  expect(await fixture.committed()).toEqual(new Map([[0, -1]]))
})

test('a client asks for its topics again as often as metadata.max.age.ms says', async () => {
  await using fixture = await fixtureOf()
  const store = fixture.open({
    clients: clients({ consumer: 'metadata.max.age.ms=50', changelog: 'metadata.max.age.ms=86400000' }),
  })
  await fixture.quiet(store)
  const before = wire.metadataRequests
  await until('it has asked again and again', () => wire.metadataRequests > before + 3)
})

test('a client begins at its bootstrap.servers in the place of KAFKA_BROKERS', async () => {
  await using fixture = await fixtureOf()
  await fixture.produce(messages)
  const seeds = `bootstrap.servers=localhost:1\\,${broker.bootstrap}`
  const store = fixture.open({
    kafkaBrokers: [{ host: 'localhost', port: 1 }],
    clients: clients({ consumer: seeds, producer: seeds, changelog: seeds }),
  })
  await fixture.quiet(store)
  await fixture.expectConverged(store)
})

test('a response larger than receive.message.max.bytes is told and not taken', async () => {
  await using fixture = await fixtureOf()
  await fixture.produce([{ key: 'large', value: 'x'.repeat(20_000) }])
  const text = 'receive.message.max.bytes=10000,fetch.max.bytes=9000'
  const store = fixture.open({ clients: clients({ consumer: text }) })
  await until('it says so', () =>
    /it says it is \d+ bytes, where receive.message.max.bytes=10000/.test(store.status().reason ?? ''),
  )
  expect(store.stats.count('recordsConsumed')).toBe(0)
})
