/** Several store threads behind one handle: the same store for any number of them. */
import { expect, test } from 'bun:test'
import { Fixture } from '../support/store/fixture.ts'
import { until } from '../support/until.ts'

const users = (count: number, round: string) =>
  Array.from({ length: count }, (_, id) => ({ key: `user-${id}`, value: `${round}-${id}` }))

test('a store with three threads has what one with a single thread has, before and after a restart', async () => {
  await using fixture = await Fixture.create({ partitions: 5 })
  await fixture.produce(users(300, 'first'))
  const store = fixture.open({ storeThreads: 3 })
  await fixture.quiet(store)
  await fixture.expectConverged(store)
  expect(store.status().partitions.primary).toEqual([0, 1, 2, 3, 4])
  await fixture.produce(users(150, 'second'))
  await fixture.quiet(store)
  expect(await fixture.value(store, 'user-149')).toBe('second-149')
  expect(await fixture.value(store, 'user-150')).toBe('first-150')
  expect(await store.get(Buffer.from('absent'))).toBeUndefined()
  await store.write(Buffer.from('user-7'), Buffer.from('written'))
  await store.flush()
  expect(await fixture.value(store, 'user-7')).toBe('written')
  using reader = store.reader()
  expect(Buffer.from(reader.get(Buffer.from('user-299'))!.value).toString()).toBe('first-299')
  await store.close()
  expect(store.state).toBe('stopping')

  const single = fixture.open()
  await fixture.quiet(single)
  expect(await fixture.value(single, 'user-7')).toBe('written')
  expect(await fixture.value(single, 'user-149')).toBe('second-149')
})

test('threads without a partition do not start', async () => {
  await using fixture = await Fixture.create({ partitions: 2 })
  await fixture.produce(users(20, 'first'))
  const store = fixture.open({ storeThreads: 8, partitions: [1] })
  await fixture.quiet(store)
  expect(store.status()).toMatchObject({ state: 'running', caughtUp: true, partitions: { primary: [1], replicas: [] } })
})

test('a store with several threads has replicas, too, and reports a failure once', async () => {
  await using fixture = await Fixture.create({ partitions: 4 })
  await fixture.produce(users(100, 'first'))
  const primary = fixture.open({ storeThreads: 2 })
  await fixture.quiet(primary)
  const replica = fixture.open({ storeThreads: 2, useReplicaOnly: true, waitForReplicas: true })
  await until('the replicas are filled', () => replica.state === 'running')
  await until('the replica has the last key', async () => (await fixture.value(replica, 'user-99')) === 'first-99')
  expect(replica.status().partitions).toEqual({ primary: [], replicas: [0, 1, 2, 3] })
  expect(primary.state).toBe('running')

  const wrong = fixture.open({ storeThreads: 2, partitions: [9] })
  expect((await wrong.failed).message).toContain('PARTITIONS names partition 9')
})
