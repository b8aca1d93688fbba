/** Legal source records that a changelog refuses, or that are odd in other ways: none stalls a partition. */
import { expect, test } from 'bun:test'
import { randomBytes } from 'node:crypto'
import { CompressionTypes } from 'kafkajs'
import { Fixture } from '../support/store/fixture.ts'
import { until } from '../support/until.ts'

const dayMs = 86_400_000
const farAhead = Date.now() + 365 * dayMs
const unlimited = { 'message.timestamp.after.max.ms': '9223372036854775807' }

test('a timestamp far in the future is stored unchanged when the store has created the changelog', async () => {
  await using fixture = await Fixture.create({ source: unlimited })
  await fixture.produce([{ key: 'ahead', value: 'v', timestamp: String(farAhead) }])
  const store = fixture.open()
  await fixture.quiet(store)
  await fixture.expectConverged(store)
  expect(await fixture.get(store, 'ahead')).toMatchObject({ timestamp: farAhead })
  expect(store.stats.count('timestampsClamped')).toBe(0)
})

test.each(['9223372036854775807', '1700000000000000000', '0', '-1'])(
  'a source does not count as recreated when the timestamp of its last record is %s',
  async (timestamp) => {
    await using fixture = await Fixture.create({ source: unlimited })
    await fixture.produce([{ key: 'a', value: '1' }])
    await fixture.produce([{ key: 'odd', value: 'v', timestamp }])
    for (let start = 0; start < 2; start++) {
      const store = fixture.openLogged()
      await fixture.quiet(store)
      await fixture.expectConverged(store)
      await store.close()
    }
    expect(fixture.lines.filter((line) => line.startsWith('error'))).toEqual([])
  },
)

test('a record is stored with a nearer timestamp when the changelog would refuse its own', async () => {
  await using fixture = await Fixture.create({ source: unlimited, changelog: {} })
  await fixture.produce([
    { key: 'before', value: 'v' },
    { key: 'ahead', value: 'v', timestamp: String(farAhead) },
    { key: 'after', value: 'v' },
  ])
  for (let start = 0; start < 2; start++) {
    const store = fixture.openLogged()
    await fixture.quiet(store)
    await fixture.expectConverged(store)
    expect((await fixture.get(store, 'ahead'))!.timestamp).toBeLessThan(Date.now() + 2 * 3_600_000)
    expect(store.stats.count('timestampsClamped')).toBe(start === 0 ? 1 : 0)
    await store.close()
  }
  await fixture.logged(`offset 1: the changelog would refuse timestamp ${farAhead}`)
  expect(fixture.hasLogged('recreated')).toBe(false)
})

test('records are stored when the changelog no longer accepts timestamps of the source, without the store knowing', async () => {
  await using fixture = await Fixture.create({ source: unlimited })
  const store = fixture.open()
  await fixture.quiet(store)
  await fixture.cluster.configure(fixture.changelog, {
    'message.timestamp.after.max.ms': '3600000',
    'message.timestamp.before.max.ms': '3600000',
  })
  await fixture.produce([
    { key: 'now', value: 'v' },
    { key: 'ahead', value: 'v', timestamp: String(farAhead) },
    { key: 'behind', value: 'v', timestamp: String(Date.now() - 365 * dayMs) },
    { key: 'now', value: 'w' },
  ])
  await fixture.quiet(store)
  await fixture.expectConverged(store)
})

test('a record too large for the changelog is skipped, counted and logged, and all others are stored', async () => {
  await using fixture = await Fixture.create({ changelog: { 'max.message.bytes': '20000' } })
  const sizes = [100, 19_000, 25_000, 100, 19_900, 30]
  await fixture.produce(sizes.map((size, i) => ({ key: `k${i}`, value: randomBytes(size) })))
  const store = fixture.openLogged()
  await fixture.quiet(store)
  const lengths = await Promise.all(sizes.map(async (_, i) => (await fixture.value(store, `k${i}`))?.length))
  expect(lengths).toEqual([100, 19_000, undefined, 100, 19_900, 30])
  expect(store.stats.count('skippedTooLarge')).toBe(1)
  await fixture.logged('offset 2: record skipped, with key and value of 25002 bytes it exceeds')
})

test('records are stored up to the largest when the limit of the changelog falls while the store runs', async () => {
  await using fixture = await Fixture.create()
  const store = fixture.openLogged()
  await fixture.quiet(store)
  await fixture.cluster.configure(fixture.changelog, { 'max.message.bytes': '5000' })
  await fixture.produce(
    Array.from({ length: 40 }, (_, i) => ({ key: `k${i}`, value: randomBytes(i === 17 ? 6000 : 1000) })),
  )
  await fixture.quiet(store)
  const missing = []
  for (let i = 0; i < 40; i++) if ((await fixture.value(store, `k${i}`)) === undefined) missing.push(i)
  expect(missing).toEqual([17])
  await fixture.logged('offset 17: record skipped, the changelog refuses it')
  await store.close()
  expect(await fixture.committed()).toEqual(new Map([[0, 40]]))
})

test('a record of the maximum size of the source is stored with its header', async () => {
  await using fixture = await Fixture.create({ source: { 'max.message.bytes': '3000000' } })
  await fixture.produce([{ key: 'small', value: 'v' }])
  // The size of the whole batch is what counts; what kafkajs adds to key and value is less than 100 bytes.
  await fixture.produce([{ key: 'large', value: 'v'.repeat(3_000_000 - 100) }])
  const store = fixture.open()
  await fixture.quiet(store)
  await fixture.expectConverged(store)
  expect(store.stats.count('skippedTooLarge')).toBe(0)
})

test('records without a key are skipped, counted and logged, and the partition continues', async () => {
  await using fixture = await Fixture.create()
  await fixture.produce([
    { key: 'a', value: '1' },
    { key: null, value: 'x' },
    { key: null, value: null },
    { key: 'b', value: '2' },
  ])
  const store = fixture.openLogged()
  await fixture.quiet(store)
  await fixture.expectConverged(store)
  expect(store.stats.count('skippedNullKey')).toBe(2)
  await fixture.logged('offset 1: record skipped, it has no key')
  await store.close()
  // One of a kind in five seconds, but for those that would come after the end.
  await fixture.logged('offset 2: record skipped, it has no key')
  expect(await fixture.committed()).toEqual(new Map([[0, 4]]))
})

test('keys and values of any bytes are served unchanged', async () => {
  await using fixture = await Fixture.create()
  const keys = [
    Buffer.alloc(0),
    Buffer.from([0]),
    Buffer.alloc(4),
    Buffer.from([0xff, 0xfe, 0xc3, 0x28]),
    Buffer.from('schlüssel/ 🗝'),
    Buffer.alloc(300_000, 'k'),
    Buffer.from([0xc3, 0x28]),
    Buffer.from('�'),
  ]
  await fixture.produce(
    keys.map((key, i) => ({ key, value: i % 2 === 0 ? Buffer.alloc(0) : Buffer.from([0, i, 0xff]) })),
  )
  for (let start = 0; start < 2; start++) {
    const store = fixture.open()
    await fixture.quiet(store)
    await fixture.expectConverged(store)
    for (const [i, key] of keys.entries()) {
      const found = await store.get(key)
      expect(found?.value, `key ${i}`).toEqual(new Uint8Array(i % 2 === 0 ? [] : [0, i, 0xff]))
    }
    await store.close()
  }
})

test('a header src of a source record does not count as a source offset', async () => {
  await using fixture = await Fixture.create()
  const src = Buffer.alloc(8, 0x0f)
  await fixture.produce([{ key: 'a', value: '1', headers: { src, other: 'x' } }])
  await fixture.startAndStop()
  await fixture.produce([{ key: 'a', value: '2', headers: { src } }])
  await fixture.startAndStop()
})

test('batches of gzip and of Kafka’s own producer are read', async () => {
  await using fixture = await Fixture.create()
  const producer = fixture.cluster.kafka.producer()
  await producer.connect()
  const messages = Array.from({ length: 100 }, (_, i) => ({ partition: 0, key: `gzip-${i}`, value: 'v'.repeat(i) }))
  await producer.send({ topic: fixture.source, compression: CompressionTypes.GZIP, messages })
  await producer.disconnect()
  const { broker } = fixture.cluster
  const codecs = ['gzip', 'snappy', 'lz4', 'zstd']
  await Promise.all(
    codecs.map(async (codec) => {
      const lines = Array.from({ length: 50 }, (_, i) => `${codec}-${i}\t${'value '.repeat(i + 1)}\n`).join('')
      const properties = ['parse.key=true', `compression.type=${codec}`].flatMap((property) => [
        property.startsWith('parse') ? '--property' : '--producer-property',
        property,
      ])
      const args = ['--bootstrap-server', broker.direct, '--topic', fixture.source, ...properties]
      const produced = await broker.java('org.apache.kafka.tools.ConsoleProducer', args, lines)
      expect(produced).toMatchObject({ exitCode: 0 })
    }),
  )
  const store = fixture.open()
  await until('all are read', () => store.stats.count('recordsConsumed') === 300)
  await fixture.quiet(store)
  await fixture.expectConverged(store)
  for (const codec of codecs) expect(await fixture.value(store, `${codec}-9`)).toBe('value '.repeat(10))
})
