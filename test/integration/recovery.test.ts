/** Recovery reads what compaction has left of a changelog, to its end, and is right. */
import { expect, test } from 'bun:test'
import { headerOf } from '../support/kafka/record-batch/raw-batch.ts'
import { compact, compacting } from '../support/store/compaction.ts'
import { Fixture } from '../support/store/fixture.ts'
import { until } from '../support/until.ts'

/** Every append begins a new segment, and what compaction empties goes at once. */
const eager = { ...compacting, 'delete.retention.ms': '0' }

function messages(count: number, value: (i: number) => string | null) {
  return Array.from({ length: count }, (_, i) => ({ partition: 0, key: `key-${i}`, value: value(i) }))
}

test('a store serves the latest values of its source when it is started, restarted and started again', async () => {
  await using fixture = await Fixture.create({ partitions: 3 })
  const first = Array.from({ length: 300 }, (_, i) => {
    return { partition: i % 3, key: `key-${(i % 3) + 3 * (i % 17)}`, value: i % 7 === 0 ? null : `value-${i}` }
  })
  await fixture.produce(first)
  await fixture.startAndStop()
  await fixture.startAndStop()
  await fixture.produce([{ key: 'key-0', value: 'new' }])
  const store = fixture.open()
  await fixture.quiet(store)
  await fixture.expectConverged(store)
  expect(await fixture.value(store, 'key-0')).toBe('new')
})

test('recovery ends, and is right, when compaction has emptied whole batches of several producers', async () => {
  await using fixture = await Fixture.create({ changelog: eager })
  const rounds = [
    ...['a', 'b', 'c'].map((round) => messages(50, (i) => `${round}-${i}`)),
    messages(50, () => null),
    messages(3, (i) => `last-${i}`),
  ]
  const producers = Array.from({ length: 3 }, () =>
    fixture.cluster.kafka.producer({ idempotent: true, maxInFlightRequests: 1 }),
  )
  for (const producer of producers) await producer.connect()
  const writers = [0, 0, 0, 1, 2]
  for (const [round, batch] of rounds.entries()) {
    await fixture.produce(batch)
    const withOffsets = batch.map((message, i) => ({ ...message, headers: { src: headerOf(50 * round + i) } }))
    await producers[writers[round]!]!.send({ topic: fixture.changelog, messages: withOffsets })
  }
  for (const producer of producers) await producer.disconnect()
  await until('whole batches are empty', async () => {
    await fixture.cluster.produce(fixture.changelog, [{ key: 'filler', value: null }])
    const { batches } = await fixture.readChangelog()
    return batches.filter(({ kind, recordCount }) => kind === 'records' && recordCount === 0).length === 2
  })

  for (let start = 0; start < 3; start++) {
    const store = fixture.open()
    await fixture.quiet(store)
    await fixture.expectConverged(store)
    expect(store.stats.count('recordsConsumed')).toBe(0)
    expect(await fixture.value(store, 'key-2')).toBe('last-2')
    expect(await fixture.value(store, 'key-3')).toBeUndefined()
    await store.close()
  }
})

test('recovery ends, and is right, every time while the cleaner is working', async () => {
  await using fixture = await Fixture.create({ partitions: 2, changelog: eager })
  for (let start = 0; start < 5; start++) {
    await fixture.produce(messages(30, (i) => (i % 5 === start ? null : `${start}-${i}`)))
    await fixture.produce([{ partition: 1, key: 'other', value: `${start}` }])
    await fixture.startAndStop()
  }
  // All that the store wrote, its markers too, has to have been under the cleaner at least once.
  await compact(fixture.cluster, fixture.changelog)
  await fixture.startAndStop()
})

test('recovery ends, and is right, when every key was deleted from the changelog', async () => {
  await using fixture = await Fixture.create({ changelog: eager })
  await fixture.produce(messages(20, (i) => `value-${i}`))
  await fixture.produce(messages(20, () => null))
  await fixture.startAndStop()
  await until('nothing but the last batch is left', async () => {
    await fixture.cluster.produce(fixture.changelog, [{ key: 'filler', value: null }])
    const { records } = await fixture.readChangelog()
    return records.every(({ key }) => key === 'filler')
  })
  for (let start = 0; start < 2; start++) {
    const store = fixture.openLogged()
    await fixture.quiet(store)
    await fixture.expectConverged(store)
    await store.close()
  }
  expect(fixture.hasLogged('rebuilding')).toBe(false)
})

test('recovery without fencing ends where the changelog ended at start', async () => {
  await using fixture = await Fixture.create({ partitions: 2 })
  await fixture.produce(messages(100, (i) => `value-${i}`))
  const settings = { fencing: false }
  for (let start = 0; start < 3; start++) {
    await fixture.produce([{ key: 'key-0', value: `start-${start}` }])
    await fixture.startAndStop(settings)
  }
})

test('a store recovers what a fenced one has written, and vice versa', async () => {
  await using fixture = await Fixture.create()
  for (let start = 0; start < 4; start++) {
    await fixture.produce([{ key: `key-${start}`, value: `start-${start}` }])
    await fixture.startAndStop({ fencing: start % 2 === 0 })
  }
})
