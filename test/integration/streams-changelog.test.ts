/** A changelog without source offsets, as Kafka Streams writes it, and what the group had committed beside it. */
import { expect, test } from 'bun:test'
import { Fixture } from '../support/store/fixture.ts'

function messages(from: number, to: number) {
  return Array.from({ length: to - from }, (_, i) => ({ key: `key-${(from + i) % 40}`, value: `value-${from + i}` }))
}

async function written(inChangelog: number, committed: number | undefined): Promise<Fixture> {
  const fixture = await Fixture.create({ changelog: {} })
  await fixture.produce(messages(0, 100))
  await fixture.cluster.produce(fixture.changelog, messages(0, inChangelog))
  if (committed !== undefined) await fixture.cluster.commit(fixture.storeId, fixture.source, 0, committed)
  return fixture
}

test('a store continues at the committed offset when the changelog has no source offsets', async () => {
  await using fixture = await written(60, 60)
  const store = fixture.openLogged()
  await fixture.quiet(store)
  expect(store.stats.count('recordsRecovered')).toBe(60)
  expect(store.stats.count('recordsConsumed')).toBe(40)
  expect(fixture.lines.filter((line) => /^(error|warning)/.test(line))).toEqual([])
  for (const i of [0, 19, 20, 39]) {
    expect(await fixture.value(store, `key-${i}`)).toBe(`value-${i < 20 ? 80 + i : 40 + i}`)
  }
  await store.close()
  expect(await fixture.committed()).toEqual(new Map([[0, 100]]))
})

test('a lookup has no offset when its record has none, and one when it came from the source', async () => {
  await using fixture = await written(40, 99)
  const store = fixture.open()
  await fixture.quiet(store)
  expect(await fixture.get(store, 'key-1')).toMatchObject({ offset: -1, partition: 0 })
  expect(await fixture.get(store, 'key-19')).toMatchObject({ offset: 99, partition: 0 })
})

test('a store reads a little twice when the changelog has more than was committed', async () => {
  await using fixture = await written(80, 60)
  const store = fixture.open()
  await fixture.quiet(store)
  expect(store.stats.count('recordsConsumed')).toBe(40)
  expect(await fixture.value(store, 'key-39')).toBe('value-79')
})

test('a store reads the source from its start when nothing was committed', async () => {
  await using fixture = await written(60, undefined)
  await fixture.startAndStop()
})

test('a store resumes by the highest source offset, not by the commit, once it has written one', async () => {
  await using fixture = await written(60, 60)
  const store = fixture.open()
  await fixture.quiet(store)
  await store.close()
  await fixture.cluster.commit(fixture.storeId, fixture.source, 0, 70)
  const again = fixture.openLogged()
  await fixture.quiet(again)
  expect(again.stats.count('recordsConsumed')).toBe(0)
  await fixture.logged('after the highest source offset in the changelog')
})
