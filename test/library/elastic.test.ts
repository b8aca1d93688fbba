/** Stores of a program in a group, over Kafka: each reads what the other one has. */
import { afterEach, expect, test } from 'bun:test'
import { type Handler, type KeyValueStore, openStore, serve } from '../../lib/index.ts'
import { partitionOf } from '../../lib/map/index.ts'
import { Fixture } from '../support/store/fixture.ts'
import { until } from '../support/until.ts'

type Texts = KeyValueStore<string, string>

interface Embedded {
  store: Texts
  url: string
}

const token = 'a token of the group'
const partitions = 4
const ends: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

/** A program with one store, which it serves below a path. */
function open({ source, cluster }: Fixture, standbys: number): Embedded {
  let answer: Handler = () => new Response(null, { status: 503 })
  const server = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: (request) => answer(request) })
  const url = `http://127.0.0.1:${server.port}`
  const store = openStore<string, string>({
    sourceTopic: source,
    kafkaBrokers: cluster.broker.bootstrap,
    keyFormat: 'utf8',
    valueFormat: 'utf8',
    elastic: true,
    advertisedUrl: `${url}/orders`,
    standbys,
    handoverSeconds: 5,
  })
  answer = serve(store, { token, prefix: '/orders' })
  ends.push(async () => {
    await store.close()
    await server.stop(true)
  })
  return { store, url }
}

function partitionIn(key: string): number {
  return key.startsWith('stray') ? 0 : partitionOf(Buffer.from(key), partitions)
}

function keyIn(partition: number): string {
  for (let at = 0; ; at++) if (partitionIn(`key ${at}`) === partition) return `key ${at}`
}

test('each program reads all keys, writes what it is primary of, and hands over when it closes', async () => {
  await using fixture = await Fixture.create({ partitions })
  const own = Array.from({ length: 60 }, (_, index) => `key ${index}`)
  // Of a producer with another partitioner.
  const strays = Array.from({ length: 40 }, (_, index) => `stray ${index}`)
  const keys = [...own, ...strays]
  await fixture.produce(keys.map((key) => ({ key, value: `value of ${key}`, partition: partitionIn(key) })))
  const [a, b] = [open(fixture, 0), open(fixture, 0)]
  await Promise.all([a.store.ready, b.store.ready])
  const primaries = ({ store }: Embedded) =>
    store
      .status()
      .details.filter(({ role, state }) => role === 'primary' && state === 'running')
      .map(({ partition }) => partition)
  const isShared = () => primaries(a).length === 2 && primaries(b).length === 2
  await until('both have partitions and have caught up', () => {
    return isShared() && a.store.status().caughtUp && b.store.status().caughtUp
  })
  for (const { store } of [a, b]) {
    for (const key of keys) expect(await store.get(key)).toBe(`value of ${key}`)
    expect(await store.get('none')).toBeUndefined()
    expect(await store.has('none')).toBeFalse()
    expect((await store.find('key 7'))?.value).toBe('value of key 7')
    expect(await store.getMany(['key 1', 'none', 'key 2'])).toEqual(['value of key 1', undefined, 'value of key 2'])
    const entries: string[] = []
    for await (const { key } of store.entries()) entries.push(key)
    expect(entries.toSorted()).toEqual(keys.toSorted())
  }
  const [owned, elsewhere] = [keyIn(primaries(a)[0]!), keyIn(primaries(b)[0]!)]
  await a.store.put(owned, 'written')
  await a.store.flush()
  await until('b to see it', async () => (await b.store.get(owned)) === 'written')
  const refused = { code: 'partition_not_held', details: { url: `${b.url}/orders` } }
  await expect(a.store.put(elsewhere, 'x')).rejects.toMatchObject(refused)
  await expect(a.store.delete(elsewhere)).rejects.toThrow(`Write to ${b.url}/orders`)
  using reader = a.store.reader()
  expect(reader.get(owned)).toBe('written')
  expect(() => reader.get(elsewhere)).toThrow(`${b.url}/orders does`)
  const changes = a.store.changes()
  const change = changes.next()
  const partition = partitionIn(elsewhere)
  const offset = keys.filter((key) => partitionIn(key) === partition).length
  await fixture.produce([{ key: elsewhere, value: 'new', partition }])
  await a.store.waitFor({ partition, offset, timeoutMs: 20_000 })
  expect(await a.store.get(elsewhere)).toBe('new')
  expect((await change).value).toMatchObject({ type: 'put', key: elsewhere, found: { value: 'new', partition } })
  await changes.return()
  expect((await fetch(`${a.url}/orders/stores/${fixture.source}/none`)).status).toBe(401)
  await b.store.close()
  await until('a to have all', () => primaries(a).length === partitions)
  expect(reader.get(elsewhere)).toBe('new')
})

test('before a store is served it says what is missing', async () => {
  await using store = openStore({
    sourceTopic: 'orders',
    kafkaBrokers: '127.0.0.1:1',
    elastic: true,
    advertisedUrl: 'http://127.0.0.1:1',
  })
  await expect(store.get('key')).rejects.toThrow('Call serve(store), at advertisedUrl')
})

test('a group needs to know where the store is served', () => {
  const options = { sourceTopic: 'orders', kafkaBrokers: '127.0.0.1:1' }
  expect(() => openStore({ ...options, elastic: true })).toThrow('elastic: it needs advertisedUrl')
  expect(() => openStore({ ...options, elastic: true, advertisedUrl: 'no URL' })).toThrow('advertisedUrl')
})
