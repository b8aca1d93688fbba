/** Writes of a program's own, against a real Kafka: what was acknowledged stays, in the order of the calls, beside what the source brings. */
import { describe, expect, test } from 'bun:test'
import { randomBytes } from 'node:crypto'
import { LatchkeyError } from '../../lib/errors.ts'
import { partitionOf } from '../../lib/map/index.ts'
import type { Store } from '../../lib/store/store.ts'
import { compact } from '../support/store/compaction.ts'
import { Fixture } from '../support/store/fixture.ts'

const bytes = (text: string) => Buffer.from(text)

function put(store: Store, key: string, value: string | null, partition?: number): Promise<void> {
  return store.write(bytes(key), value === null ? null : bytes(value), partition)
}

async function codeOf(writing: Promise<void>): Promise<string | undefined> {
  const thrown = await writing.then(
    () => undefined,
    (error: unknown) => error,
  )
  return thrown instanceof LatchkeyError ? thrown.code : undefined
}

describe('a write', () => {
  test('is visible after a flush, and in the changelog in the order of the calls', async () => {
    await using fixture = await Fixture.create({ partitions: 3 })
    const store = fixture.open({ autoFlushSeconds: 3600 })
    await store.ready
    await Promise.all(['a', 'b', 'c', 'd'].map((key) => put(store, key, `${key}1`)))
    await Promise.all([put(store, 'd', 'd2'), put(store, 'd', null)])
    await store.flush()
    expect(await fixture.value(store, 'a')).toBe('a1')
    expect(await fixture.value(store, 'c')).toBe('c1')
    expect(await fixture.value(store, 'd')).toBeUndefined()
    const { records } = await fixture.readChangelog()
    expect(records.filter(({ key }) => key === 'd').map(({ value }) => value)).toEqual(['d1', 'd2', null])
    expect(records.every(({ key, partition }) => partition === partitionOf(bytes(key!), 3))).toBe(true)
    expect(records.length).toBe(6)
  })

  test('is flushed with a flush that is asked for before it is acknowledged', async () => {
    await using fixture = await Fixture.create()
    const store = fixture.open({ autoFlushSeconds: 3600 })
    await store.ready
    const writing = put(store, 'a', '1')
    await store.flush()
    expect(await fixture.value(store, 'a')).toBe('1')
    await writing
  })

  test('goes to the partition that is asked for, and is found there', async () => {
    await using fixture = await Fixture.create({ partitions: 2 })
    const store = fixture.open()
    await store.ready
    const other = 1 - partitionOf(bytes('a'), 2)
    await put(store, 'a', '1', other)
    await store.flush()
    expect(await fixture.get(store, 'a')).toMatchObject({ partition: other, offset: -1 })
    await put(store, 'a', null, other)
    await store.flush()
    expect(await fixture.value(store, 'a')).toBeUndefined()
  })

  test('over a source record survives compaction and a restart, and is replaced by the next source record', async () => {
    await using fixture = await Fixture.create()
    await fixture.produce([
      { key: 'other', value: '1' },
      { key: 'a', value: 'of the source' },
    ])
    const store = fixture.open()
    await fixture.quiet(store)
    await put(store, 'a', 'of the program')
    await store.close()
    // Nothing is left in the changelog that names the source's last offset but the write itself.
    await compact(fixture.cluster, fixture.changelog)
    await fixture.cluster.commit(fixture.storeId, fixture.source, 0, 0)
    const { records } = await fixture.readChangelog()
    expect(Math.max(...records.map(({ src }) => src))).toBe(0)

    const again = fixture.open()
    await fixture.quiet(again)
    expect(await fixture.value(again, 'a')).toBe('of the program')
    await fixture.produce([{ key: 'a', value: 'newer' }])
    await fixture.quiet(again)
    expect(await fixture.value(again, 'a')).toBe('newer')
  })

  test('is refused with the reason when it cannot be accepted', async () => {
    await using fixture = await Fixture.create({ partitions: 2, changelog: { 'max.message.bytes': '10000' } })
    const store = fixture.open({ partitions: [0], partitionsReplica: [1] })
    expect(await codeOf(put(store, 'a', '1'))).toBe('recovering')
    await store.ready
    expect(await codeOf(put(store, 'a', '1', 1))).toBe('partition_not_held')
    expect(await codeOf(put(store, 'a', '1', 2))).toBe('partition_not_held')
    expect(await codeOf(put(store, 'a', 'x'.repeat(10_000), 0))).toBe('entry_too_large')
    await put(store, 'a', 'x'.repeat(9_000), 0)
    const processing = fixture.open({ partitions: [1], useProcessingOnly: true })
    expect(await codeOf(put(processing, 'a', '1', 1))).toBe('processing_only')
    const closing = store.close()
    expect(await codeOf(put(store, 'a', '1', 0))).toBe('stopping')
    await closing
  })

  test('is refused by the broker alone, when the topic accepts less than it did', async () => {
    await using fixture = await Fixture.create({ changelog: {} })
    const store = fixture.open()
    await store.ready
    await fixture.cluster.configure(fixture.changelog, { 'max.message.bytes': '5000' })
    const writes = [put(store, 'a', '1'), put(store, 'b', randomBytes(6_000).toString('base64')), put(store, 'c', '3')]
    expect(await Promise.all(writes.map(codeOf))).toEqual([undefined, 'entry_too_large', undefined])
    await store.flush()
    expect(await fixture.value(store, 'c')).toBe('3')
    expect(store.stats.count('skippedTooLarge')).toBe(0)
  })

  test('is refused as fenced when another instance has taken the partition', async () => {
    await using fixture = await Fixture.create()
    const store = fixture.open()
    await store.ready
    const successor = fixture.open()
    await successor.ready
    // The first one learns of it from the broker, the next ones from that.
    expect(await codeOf(put(store, 'a', '1'))).toBe('fenced')
    expect(await codeOf(put(store, 'a', '1'))).toBe('fenced')
    await put(successor, 'a', '2')
    await successor.flush()
    expect(await fixture.value(successor, 'a')).toBe('2')
  })

  test('reaches the thread of its partition when there are several, and is read back by one reader', async () => {
    await using fixture = await Fixture.create({ partitions: 4 })
    const store = fixture.open({ storeThreads: 2, autoFlushSeconds: 3600 })
    await store.ready
    const keys = Array.from({ length: 40 }, (_, index) => `key-${index}`)
    await Promise.all(keys.map((key) => put(store, key, `of ${key}`)))
    await store.flush()
    using reader = store.reader()
    const found = keys.map((key) => reader.get(bytes(key)))
    expect(found.map((lookup) => Buffer.from(lookup!.value).toString())).toEqual(keys.map((key) => `of ${key}`))
    expect(new Set(found.map((lookup) => lookup!.partition)).size).toBe(4)
    await Promise.all(keys.map((key) => put(store, key, null)))
    await store.flush()
    expect(keys.every((key) => reader.get(bytes(key)) === undefined)).toBe(true)
  })

  test('is accepted up to a bound while none is acknowledged', async () => {
    await using fixture = await Fixture.create()
    const store = fixture.open()
    await store.ready
    const writes = Array.from({ length: 100_001 }, (_, index) => put(store, `${index % 1000}`, `${index}`))
    const codes = await Promise.all(writes.map(codeOf))
    expect(codes.filter((code) => code !== undefined)).toEqual(['writes_exhausted'])
    await put(store, 'last', '1')
    await store.flush()
    expect(await fixture.value(store, '999')).toBe('99999')
  })
})
