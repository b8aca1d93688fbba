/** Places of the change feed over Kafka: continued at a copy and after a restart, with a changelog that is compacted. */
import { expect, test } from 'bun:test'
import type { Store } from '../../lib/store/store.ts'
import { compact, compacting } from '../support/store/compaction.ts'
import { Fixture } from '../support/store/fixture.ts'
import { FollowingClient } from '../support/store/followers/client.ts'
import { until } from '../support/until.ts'

const soon = { autoFlushCount: 10, autoFlushSeconds: 0.02 }

/** Takes what comes until the client has this content. */
async function takeUntil(client: FollowingClient, content: Record<string, string>): Promise<void> {
  const held = () => Object.fromEntries([...client.held].toSorted())
  await until('the client has the content', async () => {
    await client.take(20)
    return Bun.deepEquals(held(), content)
  }).catch(() => expect(held()).toEqual(content))
}

function open(fixture: Fixture, isCopy: boolean): Store {
  return fixture.open(isCopy ? { ...soon, useReplicaOnly: true, sourceTopic: '' } : soon)
}

const messages = (...entries: [key: string, value: string | null][]) =>
  entries.map(([key, value]) => ({ key, value, partition: 0 }))

/** A client that has followed a store up to `a` and `b`, and then `a` is deleted, `b` changed and `c` new. */
async function start(fixture: Fixture) {
  const primary = open(fixture, false)
  await fixture.produce(messages(['a', '1'], ['b', '1'], ['d', '1']))
  await fixture.quiet(primary)
  const client = new FollowingClient()
  await client.connect(primary, {})
  await takeUntil(client, { a: '1', b: '1', d: '1' })
  await until('the client has a place', async () => (await client.take(1), typeof client.place === 'object'))
  client.close()
  await fixture.produce(messages(['a', '2'], ['b', '2'], ['a', null], ['c', '1']))
  await fixture.quiet(primary)
  return { primary, client }
}

test.each([
  ['a copy', true],
  ['the store after a restart', false],
])('a place is continued at %s, with the deletions since, and with what comes then', async (_, isCopy) => {
  await using fixture = await Fixture.create()
  const { primary, client } = await start(fixture)
  if (!isCopy) await primary.close()
  const store = open(fixture, isCopy)
  await store.ready
  await client.connect(store, {})
  await takeUntil(client, { b: '2', c: '1', d: '1' })
  await fixture.produce(messages(['c', null], ['e', '1']))
  await takeUntil(client, { b: '2', d: '1', e: '1' })
  expect(client.counts).toMatchObject({ reset: 1, changelog: 1 })
  client.close()
})

test('compaction takes no deletion from a place that is new enough, and an older one is not continued', async () => {
  await using fixture = await Fixture.create({ changelog: { 'delete.retention.ms': '600000' } })
  const { primary, client } = await start(fixture)
  await primary.close()
  await compact(fixture.cluster, fixture.changelog)
  const { place } = client
  let store = open(fixture, false)
  await store.ready
  await client.connect(store, {})
  await takeUntil(client, { b: '2', c: '1', d: '1' })
  expect(client.counts).toMatchObject({ reset: 1, changelog: 1 })
  client.close()
  await store.close()
  // Tombstones go at once from now on.
  await fixture.cluster.configure(fixture.changelog, { ...compacting, 'delete.retention.ms': '0' })
  client.place = place
  store = open(fixture, false)
  await store.ready
  await client.connect(store, {})
  await until('it begins again', async () => (await client.take(1), client.counts.reset === 2))
  await takeUntil(client, { b: '2', c: '1', d: '1' })
  client.close()
})
