/** Records and batches that are legal in the source for their compressed size: none is lost. */
import { expect, spyOn, test } from 'bun:test'
import { randomBytes } from 'node:crypto'
import { zstdCompressSync } from 'node:zlib'
import { parseProduceResponse, produceRequest } from '../../lib/kafka/protocol/produce.ts'
import { maxDecompressedBytes } from '../../lib/kafka/record-batch/index.ts'
import { Backlog } from '../../lib/store-thread/ingest/backlog.ts'
import { headerOf, rawBatch, rawRecord } from '../support/kafka/record-batch/raw-batch.ts'
import { Fixture } from '../support/store/fixture.ts'
import { withClient } from '../support/store/topic-log.ts'
import { until } from '../support/until.ts'

const zstd = 4

/** Writes records in one compressed batch. */
async function produceCompressed(
  { cluster, source }: Fixture,
  records: readonly Buffer[],
  topic = source,
): Promise<void> {
  const body = zstdCompressSync(Buffer.concat(records))
  const bytes = rawBatch({ attributes: zstd, body, recordCount: records.length, baseTimestamp: BigInt(Date.now()) })
  await withClient(cluster.broker.direct, async (client) => {
    await client.leaders(topic, [0])
    const request = produceRequest(topic, [{ partition: 0, bytes }], -1, 10_000)
    const response = await client.send(client.leader(topic, 0)!, request, 30_000)
    expect(parseProduceResponse(response)).toMatchObject([{ errorCode: 0 }])
  })
}

test('a record that its source holds compressed is stored when it exceeds the limit of the changelog uncompressed', async () => {
  await using fixture = await Fixture.create()
  const large = 'y'.repeat(5_000_000)
  await fixture.produce([{ key: 'before', value: 'v' }])
  await produceCompressed(fixture, [rawRecord({ key: 'large', value: large })])
  await fixture.produce([{ key: 'after', value: 'v' }])
  for (let start = 0; start < 2; start++) {
    const store = fixture.openLogged()
    await fixture.quiet(store)
    await fixture.expectConverged(store)
    expect(await fixture.value(store, 'large')).toBe(large)
    expect(store.stats.count('skippedTooLarge')).toBe(0)
    await store.close()
  }
  expect(fixture.lines.filter((line) => line.startsWith('error'))).toEqual([])
})

test('a record is stored when the limit of the changelog falls below it while the store runs, and compression helps', async () => {
  await using fixture = await Fixture.create()
  const store = fixture.openLogged()
  await fixture.quiet(store)
  await fixture.cluster.configure(fixture.changelog, { 'max.message.bytes': '5000' })
  await fixture.produce([
    { key: 'helped', value: 'v'.repeat(20_000) },
    { key: 'hopeless', value: randomBytes(20_000) },
    { key: 'after', value: 'v' },
  ])
  await fixture.quiet(store)
  expect(await fixture.value(store, 'helped')).toBe('v'.repeat(20_000))
  expect(await fixture.value(store, 'hopeless')).toBeUndefined()
  expect(await fixture.value(store, 'after')).toBe('v')
  expect(store.stats.count('skippedTooLarge')).toBe(1)
})

test('a batch that decompresses to more than memory may hold at once is stored record by record', async () => {
  await using fixture = await Fixture.create()
  const count = Math.ceil(maxDecompressedBytes / 900_000) + 5
  const value = Buffer.alloc(900_000, 'z')
  const records = Array.from({ length: count }, (_, offsetDelta) =>
    rawRecord({ offsetDelta, key: `k${offsetDelta}`, value }),
  )
  await fixture.produce([{ key: 'before', value: 'v' }])
  await produceCompressed(fixture, records)
  await fixture.produce([{ key: 'after', value: 'v' }])
  const store = fixture.openLogged()
  await until('all are read', () => store.stats.count('recordsConsumed') === count + 2)
  await store.flush()
  for (const key of ['k0', 'k77', `k${count - 1}`]) expect(await fixture.value(store, key)).toHaveLength(900_000)
  expect(await fixture.value(store, 'after')).toBe('v')
  await store.close()
  expect(await fixture.committed()).toEqual(new Map([[0, count + 2]]))
  expect(fixture.lines.filter((line) => /^(warning|error)/.test(line))).toEqual([])
})

test('small batches with large contents are processed in parts, however many fit in one response, and recovered after a restart', async () => {
  await using fixture = await Fixture.create()
  const batches = 5
  const value = Buffer.alloc(900_000, 'z')
  const records = Array.from({ length: 25 }, (_, offsetDelta) =>
    rawRecord({ offsetDelta, key: `k${offsetDelta}`, value }),
  )
  const batchBytes = records.length * value.length
  for (let i = 0; i < batches; i++) await produceCompressed(fixture, records)
  await fixture.produce([{ key: 'after', value: 'v' }])
  const added: number[] = []
  const add = Backlog.prototype.add
  using _ = spyOn(Backlog.prototype, 'add').mockImplementation(function (this: Backlog, partition, bytes) {
    added.push(bytes)
    add.call(this, partition, bytes)
  })
  for (let start = 0; start < 2; start++) {
    const store = fixture.openLogged()
    await fixture.quiet(store)
    for (const key of ['k0', 'k24']) expect(await fixture.value(store, key)).toHaveLength(value.length)
    expect(await fixture.value(store, 'after')).toBe('v')
    await store.close()
  }
  expect(added.reduce((sum, bytes) => sum + Math.max(bytes, 0), 0)).toBeGreaterThan(batches * batchBytes)
  // A part ends with the batch that makes it enough.
  expect(Math.max(...added)).toBeLessThan(2.5 * batchBytes)
  expect(fixture.lines.filter((line) => /^(warning|error)/.test(line))).toEqual([])
})

test('a foreign batch too large to decompress at once is settled at start and repaired later', async () => {
  await using fixture = await Fixture.create()
  await fixture.produce([
    { key: 'a', value: 'old' },
    { key: 'a', value: 'new' },
  ])
  await fixture.startAndStop()
  const value = Buffer.alloc(900_000, 'z')
  const headers = [['src', headerOf(0)]] as const
  const count = Math.ceil(maxDecompressedBytes / value.length) + 5
  const late = Array.from({ length: count }, (_, offsetDelta) => rawRecord({ offsetDelta, key: 'a', value, headers }))
  await produceCompressed(fixture, late, fixture.changelog)
  const store = fixture.openLogged()
  await fixture.quiet(store)
  await fixture.logged('1 keys are written again')
  expect(await fixture.value(store, 'a')).toBe('new')
  await produceCompressed(fixture, late, fixture.changelog)
  await fixture.logged('wrote 1 key again that another writer had replaced')
  expect(await fixture.value(store, 'a')).toBe('new')
  await store.close()
  const again = fixture.openLogged()
  await fixture.quiet(again)
  expect(await fixture.value(again, 'a')).toBe('new')
})

test('a record beyond every limit is skipped as too large, and named', async () => {
  await using fixture = await Fixture.create()
  const value = Buffer.alloc(maxDecompressedBytes, 'z')
  await produceCompressed(fixture, [
    rawRecord({ key: 'before', value: 'v' }),
    rawRecord({ offsetDelta: 1, key: 'hopeless', value }),
    rawRecord({ offsetDelta: 2, key: 'after', value: 'v' }),
  ])
  const store = fixture.openLogged()
  await until('all are read', () => store.stats.count('recordsConsumed') === 2)
  await store.flush()
  expect(await fixture.value(store, 'before')).toBe('v')
  expect(await fixture.value(store, 'hopeless')).toBeUndefined()
  expect(await fixture.value(store, 'after')).toBe('v')
  expect([store.stats.count('skippedTooLarge'), store.stats.count('skippedCorruptBatch')]).toEqual([1, 0])
  await fixture.logged(`Reading the record at offset 1: it has`)
})

test('a changelog record beyond every limit does not end the store, and what it has replaced is written again', async () => {
  await using fixture = await Fixture.create()
  await fixture.produce([{ key: 'a', value: 'v' }])
  const store = fixture.openLogged()
  await fixture.quiet(store)
  const replica = fixture.openLogged({ useReplicaOnly: true, sourceTopic: '' })
  await until('the replica is ready', () => replica.status().state === 'running')
  const huge = Buffer.alloc(maxDecompressedBytes, 'z')
  const foreign = [rawRecord({ key: 'a', value: huge }), rawRecord({ offsetDelta: 1, key: 'alien', value: huge })]
  await produceCompressed(fixture, foreign, fixture.changelog)
  await fixture.logged('wrote 2 keys again that another writer had replaced')
  await fixture.produce([{ key: 'b', value: 'v' }])
  await fixture.quiet(store)
  await until('the replica has read past it', async () => (await fixture.value(replica, 'b')) === 'v')
  for (const one of [store, replica]) expect(await fixture.value(one, 'a')).toBe('v')
  await fixture.logged('No store has written it, and it is skipped')
  expect([store.stats.count('foreignWrites') > 0, replica.stats.count('foreignWrites')]).toEqual([true, 2])
  await replica.close()
  await store.close()
  await produceCompressed(fixture, foreign, fixture.changelog)
  const again = fixture.openLogged()
  await fixture.quiet(again)
  expect(await fixture.value(again, 'a')).toBe('v')
  expect(await fixture.value(again, 'alien')).toBeUndefined()
})
