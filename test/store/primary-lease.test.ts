/** What a store in a group says of its primaries: nothing, while another instance may have taken them. */
import { expect, test } from 'bun:test'
import { GroupNotice } from '../../lib/group-protocol/group-notice.ts'
import { bootTimeMs } from '../../lib/linux/boot-time.ts'
import type { Lookup } from '../../lib/store-protocol/status.ts'
import { planned, planOf } from '../support/elastic/plans.ts'
import { groupOf } from '../support/group/group-status.ts'
import { keyIn, openMapStore } from '../support/store/map-store.ts'
import { until } from '../support/until.ts'

const sessionMs = 6_000
const longMs = 60_000

async function open() {
  const notice = GroupNotice.buffer(sessionMs)
  const maps = await openMapStore(2, [{ primaries: [0], replicas: [1] }], {}, undefined, { notice })
  const keys = [0, 1].map((partition) => keyIn(maps.store, partition))
  for (const [partition, key] of keys.entries()) maps.put(partition, key, 'value', 1)
  await maps.publish()
  const group = new GroupNotice(notice)
  const [key = '', copied = ''] = keys
  const lagOf = async (name: string, maxLag?: number) => {
    return ((await maps.store.get(Buffer.from(name), maxLag)) as Lookup).replicaLag
  }
  return { ...maps, group, key, copied, lagOf }
}

test('how far a primary is behind is known while it has its lease', async () => {
  const { store, group, key, lagOf, threads } = await open()
  group.answered(bootTimeMs())
  threads[0]!.stats.setGauge(0, 'caughtUp', 1)
  const all = async () => {
    const many = await store.getMany([Buffer.from(key)], 100)
    const { entries } = await store.readChunk({ partition: 0, hash: 0 }, { limit: 1, withValues: true })
    const listed = [many.results[0], entries[0]].map((one) => (one as Lookup).replicaLag)
    return [await lagOf(key), await lagOf(key, 0), ...listed, store.copies.of(0).lag]
  }
  expect(await all()).toEqual([undefined, undefined, undefined, undefined, undefined])
  group.endLease()
  // Lookups without a bound look at it now and then.
  await until('such a lookup has looked', async () => (await lagOf(key)) === null)
  expect(await all()).toEqual([null, null, null, null, null])
})

test('how far a primary is behind is not known once the plan has another instance as primary', async () => {
  const { store, group, key, lagOf } = await open()
  group.answered(bootTimeMs())
  const give = (primary: number) => {
    const { view } = planned(planOf([{ primary }, { primary: 1 }]))
    store.setGroup({ view, status: groupOf({}), conditions: [] })
  }
  const all = async () => {
    const many = await store.getMany([Buffer.from(key)], 100)
    const listed = (many.results[0] as Lookup).replicaLag
    return [await lagOf(key), await lagOf(key, 0), listed, store.copies.of(0).lag]
  }
  for (const [primary, lag] of [
    [0, undefined],
    [1, null],
    [0, undefined],
    [-1, undefined],
  ] as const) {
    give(primary)
    expect(await all()).toEqual([lag, lag, lag, lag])
  }
})

test('how far a copy is behind is not known once its end was asked for before the process may have stood still', async () => {
  const { store, copied, lagOf, threads } = await open()
  const { stats } = threads[0]!
  stats.setGauge(1, 'position', 7)
  stats.setGauge(1, 'end', 7)
  const lags = async (ageMs: number) => {
    stats.setGauge(1, 'endKnownAt', Date.now() - ageMs)
    const many = await store.getMany([Buffer.from(copied)], 100)
    return [await lagOf(copied), (many.results[0] as Lookup).replicaLag, store.copies.of(1).lag]
  }
  expect(await lags(0)).toEqual([0, 0, 0])
  // A Fetch waits for 500 ms.
  expect(await lags(2_001)).toEqual([null, null, null])
})

test('a lookup with a bound waits while the instance joins, or a former primary may answer', async () => {
  const { store, group, key, lagOf, put, publish } = await open()
  group.answered(bootTimeMs())
  for (const [begin, end] of [
    [() => (group.isJoining = true), () => (group.isJoining = false)],
    [() => (group.holdsUntilMs = bootTimeMs() + longMs), () => (group.holdsUntilMs = 0)],
  ] as const) {
    begin()
    const coming = store.get(Buffer.from(key), 0) as Promise<Lookup>
    expect(await Promise.race([coming, Bun.sleep(20)])).toBeUndefined()
    expect(await lagOf(key)).toBeUndefined()
    put(0, key, 'newer', 2)
    await publish()
    end()
    const { replicaLag, value } = await coming
    expect([replicaLag, Buffer.from(value).toString()]).toEqual([undefined, 'newer'])
    begin()
    expect(store.copies.of(0).lag).toBeNull()
    expect(await lagOf(key, 0)).toBeNull()
    end()
  }
})

test('a copy has its own lag, also where the message that it is one has not come yet', async () => {
  const { group, key, copied, lagOf, threads } = await open()
  group.answered(bootTimeMs())
  const { stats } = threads[0]!
  for (const partition of [0, 1]) {
    stats.setGauge(partition, 'end', 10)
    stats.setGauge(partition, 'position', 7)
    stats.setGauge(partition, 'endKnownAt', Date.now())
  }
  expect([await lagOf(copied), await lagOf(copied, 5)]).toEqual([3, 3])
  stats.setGauge(0, 'role', 1)
  expect([await lagOf(key), await lagOf(key, 5)]).toEqual([3, 3])
})
