/** I8 and I9: every offset of the source is accounted for, and what is committed is in the changelog. */
import { expect, test } from 'bun:test'
import type { Store } from '../../lib/store/store.ts'
import { uniqueName } from '../support/kafka/index.ts'
import { Fixture } from '../support/store/fixture.ts'
import { fold } from '../support/store/topic-log.ts'
import { until } from '../support/until.ts'

/** Offsets of the source, all partitions together. */
async function offsets(fixture: Fixture): Promise<number> {
  const { starts, ends } = await fixture.readSource()
  return [...ends].reduce((sum, [partition, end]) => sum + end - starts.get(partition)!, 0)
}

/** What the store says it met: each offset once. */
function met(store: Store): number {
  const { stats } = store
  return stats.count('recordsConsumed') + stats.count('abortedRecords') + stats.count('controlBatches')
}

async function mixed(fixture: Fixture): Promise<void> {
  const producer = fixture.cluster.kafka.producer({
    transactionalId: uniqueName('t'),
    maxInFlightRequests: 1,
    idempotent: true,
  })
  await producer.connect()
  for (let round = 0; round < 4; round++) {
    const partition = round % 2
    const transaction = await producer.transaction()
    const messages = Array.from({ length: 5 }, (_, i) => ({
      key: `k${partition}-${i}`,
      value: `${round}-${i}`,
      partition,
    }))
    await transaction.send({ topic: fixture.source, messages })
    await fixture.produce([
      { key: null, value: 'no key', partition },
      { key: `k${partition}-2`, value: null, partition },
    ])
    if (round < 2) await transaction.commit()
    else await transaction.abort()
  }
  await producer.disconnect()
}

test('every offset of the source is consumed, skipped, aborted or control, and nothing else is counted', async () => {
  await using fixture = await Fixture.create({ partitions: 2 })
  await mixed(fixture)
  const store = fixture.open()
  await fixture.quiet(store)
  expect(met(store)).toBe(await offsets(fixture))
  const { stats } = store
  const records = { consumed: stats.count('recordsConsumed'), nullKey: stats.count('skippedNullKey') }
  expect(records).toEqual({ consumed: 18, nullKey: 4 })
  expect([stats.count('abortedRecords'), stats.count('controlBatches')]).toEqual([10, 4])
  expect(stats.count('changelogRecords')).toBe(records.consumed - records.nullKey)
  expect(stats.count('operationsPublished')).toBe(records.consumed - records.nullKey)
  expect((await fixture.readChangelog()).records).toHaveLength(records.consumed - records.nullKey)
})

test('a restarted store counts what it reads after the last source offset in its changelog, and nothing up to it', async () => {
  await using fixture = await Fixture.create({ partitions: 2 })
  await mixed(fixture)
  await fixture.startAndStop()
  const { records } = await fixture.readChangelog()
  const resumed = [0, 1].map(
    (partition) => 1 + Math.max(...records.filter((record) => record.partition === partition).map(({ src }) => src)),
  )
  await mixed(fixture)
  const store = fixture.open()
  await fixture.quiet(store)
  expect(met(store)).toBe((await offsets(fixture)) - resumed[0]! - resumed[1]!)
  expect(store.stats.count('recordsRecovered')).toBe(14)
})

test('committed offsets are those that lag tools expect when all is quiet, markers and skipped records included', async () => {
  await using fixture = await Fixture.create({ partitions: 2 })
  await mixed(fixture)
  const store = fixture.open()
  await fixture.quiet(store)
  const { ends } = await fixture.readSource()
  await until('all is committed', async () => {
    const committed = await fixture.committed()
    return [...ends].every(([partition, end]) => committed.get(partition) === end)
  })
  expect(store.status().details.map(({ position, end, lag }) => ({ position, end, lag }))).toEqual(
    [...ends.values()].map((end) => ({ position: end, end, lag: 0 })),
  )
})

test('the commit is never ahead of the changelog', async () => {
  await using fixture = await Fixture.create()
  const store = fixture.open()
  await fixture.quiet(store)
  let checked = 0
  for (let round = 0; round < 20 || checked < 3; round++) {
    await fixture.produce(Array.from({ length: 500 }, (_, i) => ({ key: `k${i}`, value: `${round}` })))
    const committed = (await fixture.committed()).get(0)!
    const { records } = await fixture.readChangelog()
    const highest = Math.max(-1, ...records.map(({ src }) => src))
    expect(highest + 1).toBeGreaterThanOrEqual(committed)
    if (committed > 0) checked++
  }
})

test('the figures of partitions add up to those of the store', async () => {
  await using fixture = await Fixture.create({ partitions: 3 })
  await fixture.produce(
    Array.from({ length: 300 }, (_, i) => ({ key: `k${i % 90}`, value: `v${i}`, partition: (i % 90) % 3 })),
  )
  await fixture.produce(Array.from({ length: 30 }, (_, i) => ({ key: `k${i}`, value: null, partition: i % 3 })))
  const store = fixture.open()
  await fixture.quiet(store)
  await until('the figures are fresh', () => store.status().details.every(({ entries }) => entries === 20))
  const held = [...fold((await fixture.readSource()).records).values()].filter(({ value }) => value !== null)
  const details = store.status().details
  expect(details.reduce((sum, { entries }) => sum + entries, 0)).toBe(held.length)
  for (const { liveBytes, totalBytes } of details) expect(totalBytes).toBeGreaterThanOrEqual(liveBytes)
})

test('nothing is committed or visible while the changelog accepts nothing', async () => {
  await using fixture = await Fixture.create()
  await fixture.produce([{ key: 'a', value: 'old' }])
  const store = fixture.open()
  await fixture.quiet(store)
  await until('it has committed', async () => (await fixture.committed()).get(0) === 1)
  await fixture.cluster.deleteTopic(fixture.changelog)
  await fixture.produce([{ key: 'a', value: 'new' }])
  await until('it has tried for longer than two commits are apart', () => store.stats.count('changelogFailures') > 3)
  expect(store.stats.count('recordsConsumed')).toBe(2)
  expect(await fixture.value(store, 'a')).toBe('old')
  expect(store.status().details[0]).toMatchObject({ position: 1, end: 2, lag: 1 })
  expect(await fixture.committed()).toEqual(new Map([[0, 1]]))
  expect(store.status().conditions.every(({ ok }) => ok)).toBe(true)
  await until('it is reported', () => store.status().reason?.includes(fixture.changelog) === true)
})
