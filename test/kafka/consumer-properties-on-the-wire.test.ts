/** Client properties of consumers by what they do: what a store asks its broker, what lookups then show. */
import { expect, test } from 'bun:test'
import { KafkaClient } from '../../lib/kafka/client.ts'
import {
  clients,
  fixtureOf,
  messages,
  observeBroker,
  observed,
  valueOf,
} from '../support/kafka/proxies/observed-stores.ts'
import { Wire } from '../support/kafka/proxies/wire.ts'
import { toAddress } from '../support/kafka/real-client.ts'
import { until } from '../support/until.ts'

observeBroker()

async function idsOf({ source, changelog }: { source: string; changelog: string }) {
  const { direct } = observed.broker
  const options = { subject: 'test', clientId: 'test', connectionTimeoutMs: 10_000, requestTimeoutMs: 30_000 }
  const client = new KafkaClient({ ...options, brokers: [toAddress(direct)] })
  const found = await client.retryForever(() => client.metadata([source, changelog]))
  client.close()
  return { source: found[0]!.id!, changelog: found[1]!.id! }
}

test('each consumer fetches its topic as its own properties say', async () => {
  await using fixture = await fixtureOf({ changelog: {} })
  await fixture.produce(messages)
  await fixture.startAndStop()
  observed.wire = new Wire(observed.broker.proxy!)
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
  const { source, changelog } = await idsOf(fixture)
  expect(observed.wire.fetches).toContainEqual(expected('source', source, 110))
  expect(observed.wire.fetches).toContainEqual(expected('log', changelog, 220))
})

test('aborted records are stored with isolation.level=read_uncommitted, and not without', async () => {
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

test('a store begins at the end with auto.offset.reset=latest, and continues there after a restart', async () => {
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
  observed.broker.proxy!.onResponse = ({ request, frame }) => {
    const at = request?.apiKey === 1 ? frame.indexOf(from) : -1
    if (at < 0) return undefined
    const damaged = Buffer.from(frame)
    damaged.write(to, at)
    return damaged
  }
}

test('a damaged batch is skipped, but accepted with check.crcs=false', async () => {
  const storeWith = async (text: string) => {
    const fixture = await fixtureOf()
    await fixture.produce([{ key: 'a', value: 'genuine' }])
    damageFetches('genuine', 'forgery')
    const pace = 'retry.backoff.ms=1,retry.backoff.max.ms=1,fetch.wait.max.ms=10' // for ten attempts
    const store = fixture.open({ clients: clients({ consumer: `${text},${pace}` }) })
    await fixture.quiet(store)
    const found = [await valueOf(store, 'a'), store.stats.count('skippedCorruptBatch')]
    observed.broker.proxy!.onResponse = undefined
    await fixture[Symbol.asyncDispose]()
    return found
  }
  expect(await storeWith('check.crcs=true')).toEqual([undefined, 1])
  expect(await storeWith('check.crcs=false')).toEqual(['forgery', 0])
})

test('offsets are committed under group.id, every auto.commit.interval.ms', async () => {
  await using fixture = await fixtureOf()
  await fixture.produce(messages)
  const group = `${fixture.storeId}-group`
  const store = fixture.open({ clients: clients({ consumer: `group.id=${group},auto.commit.interval.ms=86400000` }) })
  await fixture.quiet(store)
  // With the default interval, the store would commit earlier than one that opens after it.
  await using later = await fixtureOf()
  await later.produce(messages)
  later.open()
  await until('a store with the default interval has committed', async () => (await later.committed()).get(0) === 3)
  expect(await fixture.cluster.committed(group, fixture.source)).toEqual(new Map([[0, -1]]))
  await store.close()
  expect(await fixture.cluster.committed(group, fixture.source)).toEqual(new Map([[0, 3]]))
  expect(await fixture.committed()).toEqual(new Map([[0, -1]]))
})

test('a client requests its metadata again every metadata.max.age.ms', async () => {
  await using fixture = await fixtureOf()
  const store = fixture.open({
    clients: clients({ consumer: 'metadata.max.age.ms=50', changelog: 'metadata.max.age.ms=86400000' }),
  })
  await fixture.quiet(store)
  const before = observed.wire.metadataRequests
  await until('it has asked again and again', () => observed.wire.metadataRequests > before + 3)
})

test('bootstrap.servers of a client overrides KAFKA_BROKERS', async () => {
  await using fixture = await fixtureOf()
  await fixture.produce(messages)
  const seeds = `bootstrap.servers=localhost:1\\,${observed.broker.bootstrap}`
  const store = fixture.open({
    kafkaBrokers: [{ host: 'localhost', port: 1 }],
    clients: clients({ consumer: seeds, producer: seeds, changelog: seeds }),
  })
  await fixture.quiet(store)
  await fixture.expectConverged(store)
})

test('a response larger than receive.message.max.bytes is reported and not read', async () => {
  await using fixture = await fixtureOf()
  await fixture.produce([{ key: 'large', value: 'x'.repeat(20_000) }])
  const text = 'receive.message.max.bytes=10000,fetch.max.bytes=9000'
  const store = fixture.open({ clients: clients({ consumer: text }) })
  await until('it is reported', () =>
    /it says it is \d+ bytes, where receive.message.max.bytes=10000/.test(store.status().reason ?? ''),
  )
  expect(store.stats.count('recordsConsumed')).toBe(0)
})
