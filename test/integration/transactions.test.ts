import { expect, spyOn, test } from 'bun:test'
import type { Producer } from 'kafkajs'
import { uniqueName } from '../support/kafka/index.ts'
import { Fixture } from '../support/store/fixture.ts'
import { until } from '../support/until.ts'

async function transactional(fixture: Fixture): Promise<Producer> {
  const producer = fixture.cluster.kafka.producer({
    transactionalId: uniqueName('transaction'),
    idempotent: true,
    maxInFlightRequests: 1,
  })
  await producer.connect()
  return producer
}

function sender(topic: string) {
  return (key: string | Buffer, value: string | null) => ({ topic, messages: [{ partition: 0, key, value }] })
}

test('a store never shows aborted records when transactions overlap, and neither does its changelog', async () => {
  await using fixture = await Fixture.create()
  const producers = [await transactional(fixture), await transactional(fixture)] as const
  const message = sender(fixture.source)
  await fixture.produce([{ key: 'plain', value: 'before' }])
  const aborted = await producers[0].transaction()
  const committed = await producers[1].transaction()
  await aborted.send(message('a', 'aborted'))
  await committed.send(message('a', 'committed'))
  await fixture.produce([{ key: 'plain', value: 'between' }])
  await aborted.send(message(Buffer.alloc(4), 'looks like an abort marker'))
  await aborted.send(message('b', 'aborted'))
  await committed.send(message('c', 'committed'))
  await aborted.abort()
  await committed.send(message('b', 'committed'))
  await committed.commit()
  const again = await producers[0].transaction()
  await again.send(message('a', null))
  await again.send(message('d', 'committed'))
  await again.commit()
  const last = await producers[1].transaction()
  await last.send(message('d', 'aborted'))
  await last.send(message('c', null))
  await last.abort()

  for (let start = 0; start < 2; start++) {
    const store = fixture.open()
    await fixture.quiet(store)
    await fixture.expectConverged(store)
    const values = await Promise.all(['plain', 'a', 'b', 'c', 'd', '\0\0\0\0'].map((key) => fixture.value(store, key)))
    expect(values).toEqual(['between', undefined, 'committed', 'committed', 'committed', undefined])
    await store.close()
  }
  const { records } = await fixture.readChangelog()
  expect(records.filter(({ value }) => value === 'aborted')).toEqual([])
  for (const producer of producers) await producer.disconnect()
})

test('a store shows the records of a transaction that was open at its start only when that is committed', async () => {
  await using fixture = await Fixture.create({ partitions: 2 })
  const producer = await transactional(fixture)
  const message = sender(fixture.source)
  await fixture.produce([{ key: 'a', value: 'old' }])
  const open = await producer.transaction()
  await open.send(message('a', 'new'))
  // A read_committed consumer gets nothing after an open transaction.
  await fixture.produce([{ key: 'b', value: 'plain' }])
  await fixture.produce([{ key: 'other', value: 'partition', partition: 1 }])

  const store = fixture.open()
  await until('the store is ready', () => store.status().conditions.every(({ ok }) => ok))
  await fixture.quiet(store)
  expect(await fixture.value(store, 'a')).toBe('old')
  expect(await fixture.value(store, 'b')).toBeUndefined()
  expect(await fixture.value(store, 'other')).toBe('partition')
  expect(store.status().details[0]).toMatchObject({ position: 1, end: 1, lag: 0 })

  await open.commit()
  await until('the transaction is visible', async () => (await fixture.value(store, 'b')) === 'plain')
  expect(await fixture.value(store, 'a')).toBe('new')
  await fixture.quiet(store)
  await fixture.expectConverged(store)
  await producer.disconnect()
})

test('a store continues at the right record when it was restarted in the middle of a transaction', async () => {
  await using fixture = await Fixture.create()
  const producer = await transactional(fixture)
  const message = sender(fixture.source)
  const first = await producer.transaction()
  await first.send(message('a', 'one'))
  await fixture.startAndStop()
  await first.send(message('b', 'two'))
  await first.commit()
  await fixture.startAndStop()
  const second = await producer.transaction()
  await second.send(message('a', 'aborted'))
  await fixture.startAndStop()
  await second.abort()
  const store = fixture.open()
  await fixture.quiet(store)
  await fixture.expectConverged(store)
  expect(await fixture.value(store, 'a')).toBe('one')
  await producer.disconnect()
})

test('a start waits for an open transaction of another producer in the changelog, and reports it', async () => {
  await using fixture = await Fixture.create()
  await fixture.produce([{ key: 'a', value: '1' }])
  await fixture.startAndStop()
  const producer = await transactional(fixture)
  const transaction = await producer.transaction()
  await transaction.send(sender(fixture.changelog)('b', 'foreign'))
  const { ends } = await fixture.readChangelog()
  const store = fixture.openLogged()
  const said = `Reading ${fixture.changelog} partition 0 at offset ${ends.get(0)}: a transaction that another producer`
  await fixture.logged(said)
  await until('its status names the partition', () => store.status().details[0]?.reason?.includes(said) === true)
  await transaction.abort()
  await fixture.quiet(store)
  await fixture.expectConverged(store)
  const markers = (await fixture.readChangelog()).batches.filter(({ kind }) => kind === 'control')
  // Two of the store's, and one of the other producer's.
  expect(markers).toHaveLength(3)
  await producer.disconnect()
})

test('a store that waits for a transaction in its source names partition and offset until that ends', async () => {
  await using fixture = await Fixture.create()
  await fixture.produce([{ key: 'a', value: '1' }])
  const store = fixture.openLogged()
  await fixture.quiet(store)
  const producer = await transactional(fixture)
  const transaction = await producer.transaction()
  await transaction.send(sender(fixture.source)('a', '2'))
  await fixture.produce([{ key: 'b', value: 'behind' }])
  const trouble = () => store.status().details[0]!.reason
  const said = `Reading ${fixture.source} partition 0 at offset 1: a transaction that another producer`
  // The store's clock is ahead from now on: a minute has passed.
  const aheadMs = 60_000
  const { now } = Date
  using _ = spyOn(Date, 'now').mockImplementation(() => now() + aheadMs)
  await until('the status names it', () => trouble()?.includes(said) === true)
  await fixture.logged(said)
  await transaction.commit()
  await until('the trouble is over', () => trouble() === undefined)
  await fixture.quiet(store)
  await fixture.expectConverged(store)
  expect(await fixture.value(store, 'b')).toBe('behind')
  await producer.disconnect()
})
