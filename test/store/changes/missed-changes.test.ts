/** Followers that return late: what is read of the changelog for them, and what ends with them. */
import { afterEach, expect, setSystemTime, test } from 'bun:test'
import { LatchkeyError } from '../../../lib/errors.ts'
import type { ChangeId } from '../../../lib/store-protocol/change-id.ts'
import type { Following } from '../../../lib/store-protocol/following.ts'
import { FollowingClient } from '../../support/store/followers/client.ts'
import { type MapStore, openMapStore } from '../../support/store/map-store.ts'
import { until } from '../../support/until.ts'

afterEach(() => void setSystemTime())

const records = 400

/** A store that had no followers, with a changelog of 400 records in one partition. */
async function start(threads = [{ primaries: [0, 1] }]): Promise<MapStore> {
  const maps = await openMapStore(2, threads)
  for (let number = 0; number < records; number++) maps.put(0, `key ${number % 100}`, `${number}`, number)
  await maps.publish()
  return maps
}

function placeAt(offset: number, time = Date.now()): ChangeId {
  const positions = new Map([
    [0, offset],
    [1, 0],
  ])
  return { topicId: 'topic', time, positions }
}

async function clientAt(maps: MapStore, place: ChangeId): Promise<FollowingClient> {
  const client = new FollowingClient()
  client.place = place
  await client.connect(maps.store, {})
  return client
}

const idle = (maps: MapStore) => () => maps.changelog.isIdle

test('hundreds that return at different places share one reading, and each gets what it missed', async () => {
  const maps = await start()
  const clients: FollowingClient[] = []
  for (let number = 0; number < 500; number++) clients.push(await clientAt(maps, placeAt(number % records)))
  for (const client of clients) await client.settle(idle(maps))
  // A part has 40 records here. A second round serves those that were late for the first one.
  expect(maps.changelog.parts).toBeLessThanOrEqual(2 * (records / maps.changelog.partRecordsMax))
  for (const [number, client] of clients.entries()) {
    expect([client.held.size, client.counts.reset]).toEqual([Math.min(100, records - (number % records)), 0])
    client.close()
  }
  await maps.store.close()
})

test('clients that leave end their reading', async () => {
  const maps = await start()
  const reading = Promise.withResolvers<void>()
  maps.changelog.beforeRead = () => reading.promise
  const clients = await Promise.all([0, 100, 200].map((offset) => clientAt(maps, placeAt(offset))))
  for (const client of clients) await client.take(1)
  for (const client of clients) client.close()
  reading.resolve()
  await until('the changelog is not read', idle(maps))
  // The part that was under way, and no other.
  expect(maps.changelog.parts).toBe(1)
  await maps.store.close()
})

test('a changelog that cannot be read leads to a reset, with all that the store has', async () => {
  const maps = await start()
  maps.changelog.beforeRead = () => {
    throw new LatchkeyError('record_batch_corrupt', 'Reading: it is damaged')
  }
  const client = await clientAt(maps, placeAt(0))
  await client.settle(idle(maps))
  expect([client.held.size, client.counts.reset]).toEqual([100, 1])
  client.close()
  await maps.store.close()
})

test('a place is good for nine tenths of the time for which tombstones are kept, and not if that is not known', async () => {
  const maps = await start()
  const now = Date.now()
  setSystemTime(now)
  const { deleteRetentionMs } = maps.changelog
  const resetsAt = async (time: number) => {
    const client = await clientAt(maps, placeAt(390, time))
    await client.settle(idle(maps))
    client.close()
    return client.counts.reset
  }
  expect(await resetsAt(now - deleteRetentionMs * 0.9 + 1_000)).toBe(0)
  expect(await resetsAt(now - deleteRetentionMs * 0.9 - 1_000)).toBe(1)
  await maps.store.close()
  const unknown = await start()
  unknown.changelog.deleteRetentionMs = -1
  const client = await clientAt(unknown, placeAt(390, now))
  await client.settle(idle(unknown))
  expect(client.counts.reset).toBe(1)
  client.close()
  await unknown.store.close()
})

test('the time of a place is that of the last publish while something waits for the next one, and else now', async () => {
  const maps = await start()
  setSystemTime(1_700_000_000_000)
  const follower: Following = await maps.store.changes.follow({ from: 'now', withValues: true }, () => {})
  const timeOf = () => (follower.place as ChangeId).time - 1_700_000_000_000
  const [thread] = maps.threads
  const publish = () => thread!.post({ type: 'published', readerThreads: [0] })
  publish()
  thread!.stats.set('oplogLength', 1)
  setSystemTime(1_700_000_005_000)
  expect(timeOf()).toBe(0)
  thread!.stats.set('oplogLength', 0)
  publish()
  expect(timeOf()).toBe(5_000)
  follower.close()
  await maps.store.close()
})

test('a place names nothing that is not published', async () => {
  const maps = await start()
  const following = maps.store.changes.follow({ from: 'now', withValues: true }, () => {})
  // The follower has begun to flush.
  maps.put(0, 'later', '1', records)
  const follower = await following
  expect((follower.place as ChangeId).positions.get(0)).toBe(records)
  follower.close()
  await maps.store.close()
})

test('records without a changelog offset are not forgotten: up to where to read is not known', async () => {
  const maps = await start()
  const first = await clientAt(maps, placeAt(records))
  maps.putWithoutOffset(0, 'without offset', '1', records)
  await maps.publish()
  const client = await clientAt(maps, placeAt(0))
  await client.settle(idle(maps))
  expect([client.held.get('without offset'), client.counts.reset]).toEqual(['1', 1])
  client.close()
  first.close()
  await maps.store.close()
})

test('a place from before the changelog has lost records is not continued, although it has the offsets again', async () => {
  const maps = await start()
  setSystemTime(Date.now())
  const place = placeAt(20)
  maps.putUnrecorded(0, 'key 3')
  maps.beginAgain(0)
  for (let number = 0; number < 40; number++) maps.put(0, `key ${number}`, 'again', records + number)
  await maps.publish()
  const client = await clientAt(maps, place)
  await client.settle(idle(maps))
  expect([client.held.get('key 0'), client.counts.reset]).toEqual(['again', 1])
  client.close()
  await maps.store.close()
})
