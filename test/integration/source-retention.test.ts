/** The source's retention removes records before the store has read them: they are logged as lost, and the store continues. */
import { expect, test } from 'bun:test'
import { Fixture } from '../support/store/fixture.ts'

function messages(from: number, to: number) {
  return Array.from({ length: to - from }, (_, i) => ({ key: `key-${(from + i) % 50}`, value: `value-${from + i}` }))
}

test('a store logs what was lost, and continues, when the source was truncated past its position while it was down', async () => {
  await using fixture = await Fixture.create()
  await fixture.produce(messages(0, 100))
  await fixture.startAndStop()
  await fixture.produce(messages(100, 200))
  await fixture.cluster.deleteRecords(fixture.source, 0, 170)
  const store = fixture.openLogged()
  await fixture.quiet(store)
  expect(fixture.lines.filter((line) => line.startsWith('error'))).toEqual([
    expect.stringContaining(
      '70 records were removed from the source before they were read; continuing at its start, 170',
    ),
  ])
  expect(await fixture.value(store, 'key-0')).toBe('value-50')
  expect(await fixture.value(store, 'key-20')).toBe('value-170')
  expect(await fixture.value(store, 'key-49')).toBe('value-199')
  expect(store.stats.count('recordsConsumed')).toBe(30)
  await store.close()
  expect(await fixture.committed()).toEqual(new Map([[0, 200]]))

  fixture.lines.length = 0
  const again = fixture.openLogged()
  await fixture.quiet(again)
  expect(fixture.lines.filter((line) => line.startsWith('error'))).toEqual([])
  expect(await fixture.value(again, 'key-0')).toBe('value-50')
})

test('a store keeps its values when all of the source was removed while it was down', async () => {
  await using fixture = await Fixture.create()
  await fixture.produce(messages(0, 100))
  await fixture.startAndStop()
  await fixture.cluster.deleteRecords(fixture.source, 0, -1)
  const store = fixture.openLogged()
  await fixture.quiet(store)
  expect(fixture.lines.filter((line) => line.startsWith('error'))).toEqual([])
  expect(await fixture.value(store, 'key-7')).toBe('value-57')
  await fixture.produce([{ key: 'key-7', value: 'new' }])
  await fixture.quiet(store)
  expect(await fixture.value(store, 'key-7')).toBe('new')
})

test('a store begins at the start of a source that does not begin at 0, and logs no loss', async () => {
  await using fixture = await Fixture.create()
  await fixture.produce(messages(0, 100))
  await fixture.cluster.deleteRecords(fixture.source, 0, 60)
  const store = fixture.openLogged()
  await fixture.quiet(store)
  await fixture.expectConverged(store)
  expect(fixture.lines.filter((line) => /^(error|warning)/.test(line))).toEqual([])
})

test('a running store logs what was lost, and continues, when the source is truncated past its position', async () => {
  await using fixture = await Fixture.create()
  const { source, cluster } = fixture
  const producer = cluster.kafka.producer({ transactionalId: source, maxInFlightRequests: 1, idempotent: true })
  await producer.connect()
  await fixture.produce([{ key: 'first', value: 'kept' }])
  const transaction = await producer.transaction()
  await transaction.send({ topic: source, messages: [{ partition: 0, key: 'open', value: 'lost' }] })
  const store = fixture.openLogged()
  await fixture.quiet(store)
  // The store waits at offset 1, where the open transaction begins, while the source moves on.
  await fixture.produce(messages(2, 32))
  await cluster.deleteRecords(source, 0, 22)
  await fixture.logged('21 records were removed from the source before they were read')
  await transaction.commit()
  await producer.disconnect()
  await fixture.quiet(store)
  const served = await Promise.all(['first', 'open', 'key-21', 'key-22'].map((key) => fixture.value(store, key)))
  expect(served).toEqual(['kept', undefined, undefined, 'value-22'])
  expect(store.state).toBe('running')
  await store.close()
  const { ends } = await fixture.readSource()
  expect(await fixture.committed()).toEqual(ends)
})
