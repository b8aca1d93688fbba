/** What readers see of a partition that leaves, at each step: no key that exists is missing without a reason. */
import { expect, test } from 'bun:test'
import { setPartitionState } from '../../lib/store-protocol/partition-state.ts'
import type { ManyLookups } from '../../lib/store-protocol/reads.ts'
import { putEntry } from '../support/map/map-pair.ts'
import { FollowingClient } from '../support/store/followers/client.ts'
import { keyIn, type MapStore, openMapStore } from '../support/store/map-store.ts'

const settings = { PARTITIONS: '0,1' }

/** Takes a partition away as a store thread does, and looks after each step. */
async function leave({ threads, publish }: MapStore, partition: number, look: () => unknown): Promise<unknown[]> {
  const { map, stats, changes, post } = threads[0]!
  const seen: unknown[] = []
  setPartitionState(stats, partition, 'recovering')
  seen.push(look())
  changes.recorder.left(partition)
  map.remove(partition)
  await publish()
  seen.push(look())
  stats.clear(partition)
  seen.push(look())
  post({ type: 'roles', primaries: stats.partitions, replicas: [] })
  seen.push(look())
  return seen
}

/** A copy of it begins. */
function beginCopy({ threads }: MapStore, partition: number): void {
  const { map, stats, post } = threads[0]!
  map.add(partition)
  setPartitionState(stats, partition, 'recovering')
  stats.setGauge(partition, 'role', 1)
  post({ type: 'roles', primaries: [0], replicas: [partition] })
}

/** The copy has reached the changelog's end. */
async function completed({ threads, publish }: MapStore, partition: number): Promise<void> {
  const { map, stats, post } = threads[0]!
  map.open(partition)
  await publish()
  setPartitionState(stats, partition, 'running')
  post({ type: 'roles', primaries: [0], replicas: [partition] })
}

function outcome(read: () => unknown): unknown {
  try {
    return read()
  } catch (error) {
    return (error as { code: string }).code
  }
}

async function open(): Promise<MapStore & { keys: string[] }> {
  const maps = await openMapStore(2, [{ primaries: [0, 1] }], settings)
  const keys = [0, 1].map((partition) => keyIn(maps.store, partition))
  for (const [partition, key] of keys.entries()) maps.put(partition, key, 'value', 1)
  await maps.publish()
  return { ...maps, keys }
}

test('lookups find a key, or say that its partition is not complete or not held', async () => {
  const maps = await open()
  const { store, keys } = maps
  const missing = [0, 1].map((partition) => keyIn(store, partition, 1))
  const names = [...keys, ...missing]
  const codeOf = (one: ManyLookups['results'][number]) =>
    one === undefined ? 'missing' : 'code' in one ? one.code : 'found'
  const look = () => {
    const { results } = store.getMany(
      names.map((key) => Buffer.from(key)),
      1_000,
    ) as ManyLookups
    const many = results.map((one) => codeOf(one))
    const single = names.map((key) =>
      outcome(() => codeOf(store.get(Buffer.from(key)) as ManyLookups['results'][number])),
    )
    expect(single).toEqual(many)
    return many.join(' ')
  }
  expect(look()).toBe('found found missing missing')
  expect(await leave(maps, 1, look)).toEqual([
    'found found missing replica_recovering',
    'found replica_recovering missing replica_recovering',
    'found replica_recovering missing replica_recovering',
    'found partition_not_held missing partition_not_held',
  ])
})

test('a walk and a count do not pass over it', async () => {
  const maps = await open()
  const { store } = maps
  const walk = () => store.readChunk({ partition: 1, hash: 0 }, { limit: 10, withValues: true })
  const look = () => [outcome(() => (walk(), 'entries')), outcome(() => store.count()), store.heldPartitions]
  const incomplete = ['replica_recovering', 'replica_recovering', [0, 1]]
  const counted = { epoch: expect.any(Number), count: 1 }
  expect(await leave(maps, 1, look)).toEqual([incomplete, incomplete, incomplete, ['partition_not_held', counted, [0]]])
})

test('a follower begins again without its keys', async () => {
  const maps = await open()
  const { store, keys, threads, put } = maps
  const client = new FollowingClient()
  await client.connect(store, {})
  await client.settle(() => maps.changelog.isIdle)
  expect([...client.held.keys()].toSorted()).toEqual(keys.toSorted())
  await leave(maps, 1, () => {})
  await client.settle(() => maps.changelog.isIdle)
  expect([client.counts.reset, [...client.held.keys()]]).toEqual([2, [keys[0]!]])
  // It comes again.
  const { changes } = threads[0]!
  beginCopy(maps, 1)
  put(1, keys[1]!, 'newer', 2)
  changes.recorder.reached(1, 2)
  await completed(maps, 1)
  await client.settle(() => maps.changelog.isIdle)
  expect([client.counts.reset, client.held.get(keys[1]!)]).toEqual([3, 'newer'])
  client.close()
})

test('a follower of other partitions does not notice', async () => {
  const maps = await open()
  const client = new FollowingClient()
  await client.connect(maps.store, { partitions: [0] })
  await client.settle(() => maps.changelog.isIdle)
  await leave(maps, 1, () => {})
  beginCopy(maps, 1)
  await completed(maps, 1)
  maps.put(0, maps.keys[0]!, 'newer', 2)
  await maps.publish()
  await client.settle(() => maps.changelog.isIdle)
  expect([client.counts.reset, client.counts.status, client.held.get(maps.keys[0]!)]).toEqual([1, 0, 'newer'])
  client.close()
})

test.each([true, false])(
  'what it gets while it is away is followed when it is back (seen to leave: %p)',
  async (isSeen) => {
    const maps = await open()
    const { store, threads, changelog } = maps
    const client = new FollowingClient()
    const other = new FollowingClient()
    await client.connect(store, {})
    await other.connect(store, { partitions: [0] })
    await client.settle(() => changelog.isIdle)
    const { post } = threads[0]!
    if (!isSeen) threads[0]!.post = () => {}
    client.close()
    await leave(maps, 1, () => {})
    const missed = keyIn(store, 1, 5)
    changelog.append(1, missed, 'written elsewhere', 2)
    beginCopy(maps, 1)
    // A snapshot has it, so the ring does not.
    const { map, changes } = threads[0]!
    putEntry(map, 1, missed, 'written elsewhere', 2)
    changes.recorder.reached(1, changelog.log(1).end)
    await completed(maps, 1)
    threads[0]!.post = post
    post({ type: 'roles', primaries: [0], replicas: [1] })
    expect(client.place).toBeObject()
    await client.connect(store, {})
    await client.settle(() => changelog.isIdle)
    expect([client.counts.reset, client.counts.changelog]).toEqual([1, 1])
    expect(client.held.get(missed)).toBe('written elsewhere')
    client.close()
    other.close()
  },
)

test('a wait for one of its offsets ends with the reason', async () => {
  const maps = await open()
  const waiting = maps.store.changes.waitFor(new Map([[1, 100]]), new Promise(() => {}))
  waiting.catch(() => {})
  await leave(maps, 1, () => {})
  await expect(waiting).rejects.toMatchObject({ code: 'partition_not_held' })
})

test('a wait for a change of one of its keys looks again', async () => {
  const maps = await open()
  let looks = 0
  const end = maps.store.changes.onChange(Buffer.from(maps.keys[1]!), () => looks++)
  await maps.publish()
  looks = 0
  await leave(maps, 1, () => {})
  expect(looks).toBeGreaterThan(0)
  end()
})
