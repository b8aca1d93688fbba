/** One wrong setting: a store that is given another store's changelog refuses to start, and leaves it as it is. */
import { expect, test } from 'bun:test'
import { Fixture } from '../support/store/fixture.ts'
import { live } from '../support/store/topic-log.ts'

const entries = 300

async function filled(): Promise<Fixture> {
  const fixture = await Fixture.create()
  await fixture.produce(Array.from({ length: entries }, (_, i) => ({ key: `key-${i}`, value: `value ${i}` })))
  await fixture.startAndStop()
  return fixture
}

test.each([
  ['another store of a shorter topic', 20, false],
  ['another store of a longer topic', 2 * entries, false],
  ['the same store of another topic', 20, true],
])('the changelog is left alone by %s', async (_, records, isSameStore) => {
  await using first = await filled()
  await using second = await Fixture.create()
  await second.produce(Array.from({ length: records }, (__, i) => ({ key: `other-${i}`, value: `other ${i}` })))
  const before = live((await first.readChangelog()).records)

  const settings = { changelogTopic: first.changelog, ...(isSameStore && { storeId: first.storeId }) }
  const store = second.open(settings)
  expect(await store.failed).toMatchObject({
    code: 'topics_unfit',
    message: expect.stringMatching(/it is another store's: .*start once with --rebuild/),
  })
  await store.close()
  expect(live((await first.readChangelog()).records)).toEqual(before)

  // Nor was it taken.
  const again = first.openLogged()
  await first.quiet(again)
  await first.expectConverged(again)
  await again.close()
})

test('a store accepts a changelog that fits its source when its group has committed nothing', async () => {
  await using fixture = await filled()
  const store = fixture.openLogged({ storeId: `${fixture.storeId}-renamed` })
  await fixture.quiet(store)
  await fixture.expectConverged(store)
  expect(fixture.lines.filter((line) => line.includes('rebuilding'))).toEqual([])
  await store.close()
})

test('--rebuild takes over another changelog', async () => {
  await using first = await filled()
  await using second = await Fixture.create()
  await second.produce([{ key: 'other', value: 'other' }])
  const store = second.open({ changelogTopic: first.changelog, rebuild: true })
  await second.quiet(store)
  expect([...live((await first.readChangelog()).records).keys()]).toEqual(['other'])
  await store.close()
})
