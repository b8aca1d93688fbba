import { expect, test } from 'bun:test'
import { defaultClients } from '../../lib/config/client-properties.ts'
import type { LatchkeyError } from '../../lib/errors.ts'
import { partitionOf } from '../../lib/map/index.ts'
import { Fixture } from '../support/store/fixture.ts'
import { until } from '../support/until.ts'

const text = (value: Uint8Array | undefined) => (value === undefined ? undefined : new TextDecoder().decode(value))

/** Looks for new partitions soon. */
function eagerClients() {
  const clients = defaultClients()
  const connection = { ...clients.consumer.connection, metadataMaxAgeMs: 200 }
  return { ...clients, consumer: { ...clients.consumer, connection } }
}

function users(from: number, count: number, round: string, placeOf: (index: number) => number) {
  return Array.from({ length: count }, (_, index) => {
    const id = from + index
    return { key: `user-${id}`, value: `${round}-${id}`, partition: placeOf(id) }
  })
}

test('a store takes over partitions that are added while it runs, and has all of them after a restart', async () => {
  await using fixture = await Fixture.create({ partitions: 2 })
  const store = fixture.open({ clients: eagerClients() })
  await fixture.produce(users(0, 40, 'first', (id) => id % 2))
  await fixture.quiet(store)

  await fixture.cluster.admin((admin) =>
    admin.createPartitions({ topicPartitions: [{ topic: fixture.source, count: 4 }] }),
  )
  await until('the store holds four partitions and serves on', async () => {
    expect((await store.get(Buffer.from('user-1')))?.partition).toBe(1)
    return store.status().partitions.primary.length === 4
  })
  await fixture.produce(users(100, 40, 'second', (id) => id % 4))
  await fixture.quiet(store)
  for (let id = 100; id < 140; id++) {
    const found = await store.get(Buffer.from(`user-${id}`))
    expect([found?.partition, text(found?.value)]).toEqual([id % 4, `second-${id}`])
  }
  expect(store.status().details.map(({ partition, state }) => [partition, state])).toEqual(
    [0, 1, 2, 3].map((partition) => [partition, 'running']),
  )
  await store.close()

  const again = fixture.open()
  await fixture.quiet(again)
  expect(again.status().partitions.primary).toEqual([0, 1, 2, 3])
  expect(text((await again.get(Buffer.from('user-139')))?.value)).toBe('second-139')
  expect(text((await again.get(Buffer.from('user-39')))?.value)).toBe('first-39')
})

test('a store with PARTITIONS ignores added partitions', async () => {
  await using fixture = await Fixture.create({ partitions: 2 })
  const store = fixture.open({ clients: eagerClients(), partitions: [0, 1] })
  await fixture.produce(users(0, 4, 'first', (id) => id % 2))
  await fixture.quiet(store)
  await fixture.cluster.admin((admin) =>
    admin.createPartitions({ topicPartitions: [{ topic: fixture.source, count: 3 }] }),
  )
  const whole = fixture.open({
    clients: eagerClients(),
    storeId: `${fixture.storeId}-other`,
    changelogTopic: `${fixture.changelog}-other`,
  })
  await until('another store sees three partitions', () => whole.status().partitions.primary.length === 3)
  expect(store.status().partitions.primary).toEqual([0, 1])
  const elsewhere = Array.from({ length: 50 }, (_, id) => Buffer.from(`absent-${id}`)).find(
    (key) => partitionOf(key, 3) === 2,
  )!
  await until('a key of the new partition is known to be elsewhere', () => {
    try {
      void store.get(elsewhere)
      return false
    } catch (error) {
      return (error as LatchkeyError).code === 'partition_not_held'
    }
  })
})
