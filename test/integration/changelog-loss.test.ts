/** The changelog lost records while committed offsets remained: rebuilt from the source, and nothing answered before that is done. */
import { expect, test } from 'bun:test'
import type { Store } from '../../lib/store/store.ts'
import { headerOf } from '../support/kafka/record-batch/raw-batch.ts'
import { Fixture } from '../support/store/fixture.ts'
import { until } from '../support/until.ts'

const entries = 2_000

async function filled(options: Parameters<typeof Fixture.create>[0] = {}): Promise<Fixture> {
  const fixture = await Fixture.create(options)
  const { partitions } = fixture
  await fixture.produce(
    Array.from({ length: entries }, (_, i) => ({ partition: i % partitions, key: `key-${i}`, value: `value-${i}` })),
  )
  await fixture.startAndStop()
  return fixture
}

/** Deletes the changelog's records before an offset, which Kafka does only where retention may too. */
async function truncate({ cluster, changelog }: Fixture, partition: number, before: number): Promise<void> {
  await cluster.configure(changelog, { 'cleanup.policy': 'compact,delete' })
  await cluster.deleteRecords(changelog, partition, before)
  await cluster.configure(changelog, { 'cleanup.policy': 'compact' })
}

/** Looks keys up all the time: each answer is the right one or none at all. Returns how many there were of each. */
async function watch(fixture: Fixture, store: Store): Promise<{ refused: number; right: number }> {
  const seen = { refused: 0, right: 0 }
  const isReady = () => store.status().conditions.every(({ ok }) => ok)
  await until('the store is ready', async () => {
    for (let i = 0; i < entries; i += 97) {
      const answer = await fixture.value(store, `key-${i}`).catch((error: { code: string }) => error.code)
      expect([`value-${i}`, 'recovering'], `key-${i}`).toContain(answer!)
      if (answer === 'recovering') seen.refused++
      else seen.right++
    }
    return isReady()
  })
  return seen
}

async function expectRebuilt(fixture: Fixture, logged: string): Promise<void> {
  const store = fixture.openLogged()
  const { refused } = await watch(fixture, store)
  expect(refused).toBeGreaterThan(0)
  expect(fixture.lines.filter((line) => line.startsWith('error') && line.includes(logged))).not.toEqual([])
  await fixture.quiet(store)
  await fixture.expectConverged(store)
  await store.close()
}

async function expectNotRebuilt(fixture: Fixture): Promise<void> {
  fixture.lines.length = 0
  const store = fixture.openLogged()
  await fixture.quiet(store)
  await fixture.expectConverged(store)
  expect(fixture.lines.filter((line) => line.startsWith('error'))).toEqual([])
  expect(store.stats.count('recordsConsumed')).toBe(0)
  await store.close()
}

test('a store rebuilds from the source, once, when its changelog was deleted while it was down', async () => {
  await using fixture = await filled({ partitions: 2 })
  await fixture.cluster.deleteTopic(fixture.changelog)
  await expectRebuilt(fixture, 'the changelog was truncated or recreated')
  await expectNotRebuilt(fixture)
})

test('a store rebuilds from the source, once, when its changelog was recreated while it was down', async () => {
  await using fixture = await filled()
  await fixture.cluster.recreateTopic(fixture.changelog, 1, { 'cleanup.policy': 'compact' })
  await expectRebuilt(fixture, 'the changelog was truncated or recreated')
  await expectNotRebuilt(fixture)
})

test.each([
  ['wholly', -1],
  ['in the middle', entries / 2],
  ['but for its last record', entries],
])('a store rebuilds from the source, once, when its changelog was truncated %s', async (_, before) => {
  await using fixture = await filled()
  await truncate(fixture, 0, before)
  await expectRebuilt(fixture, 'the changelog was truncated')
  await expectNotRebuilt(fixture)
})

test('a store rebuilds only the partition whose changelog was truncated', async () => {
  await using fixture = await filled({ partitions: 2 })
  await truncate(fixture, 1, 10)
  await expectRebuilt(fixture, `${fixture.source} partition 1: rebuilding`)
  expect(fixture.hasLogged('partition 0: rebuilding')).toBe(false)
  await expectNotRebuilt(fixture)
})

test('a store rebuilds again, and answers nothing before it is done, when it was killed in a rebuild', async () => {
  await using fixture = await filled()
  await fixture.cluster.recreateTopic(fixture.changelog, 1, { 'cleanup.policy': 'compact' })
  // What a rebuild that was killed leaves: the beginning of the source, with the former commit.
  await fixture.cluster.produce(
    fixture.changelog,
    Array.from({ length: 100 }, (_, i) => ({
      key: `key-${i}`,
      value: `value-${i}`,
      headers: { src: headerOf(i) },
    })),
  )
  const store = fixture.openLogged()
  const { refused } = await watch(fixture, store)
  expect(refused).toBeGreaterThan(0)
  await fixture.quiet(store)
  await fixture.expectConverged(store)
  await store.close()
  await expectNotRebuilt(fixture)
})

test('a store reports that its changelog is empty when the commit does not mention it', async () => {
  await using fixture = await Fixture.create()
  await fixture.produce([{ key: 'a', value: '1' }])
  await fixture.cluster.commit(fixture.storeId, fixture.source, 0, 1)
  const store = fixture.openLogged()
  await fixture.quiet(store)
  await fixture.expectConverged(store)
  await fixture.logged('the changelog is empty although offset 1 was committed')
})
