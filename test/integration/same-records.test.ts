/** A topic was recreated while the store was down, with records that do not distinguish it from the former one: only its id does. */
import { expect, test } from 'bun:test'
import { createTopic } from '../support/kafka/index.ts'
import { headerOf } from '../support/kafka/record-batch/raw-batch.ts'
import { compact } from '../support/store/compaction.ts'
import { Fixture } from '../support/store/fixture.ts'

const timestamp = String(Date.now())

/** The last one is the same in each, value aside. */
function messages(name: string, count: number) {
  const own = Array.from({ length: count }, (_, i) => ({ key: `${name}-${i}`, value: name, timestamp }))
  return [...own, { key: 'last', value: name, timestamp }]
}

test('a store ends with only the new source when it has the same record at the former position', async () => {
  await using fixture = await Fixture.create()
  await fixture.produce(messages('former', 50))
  await fixture.startAndStop()
  await fixture.cluster.recreateTopic(fixture.source)
  await fixture.produce([...messages('new', 50), { key: 'more', value: 'new', timestamp }])
  const store = fixture.openLogged()
  await fixture.quiet(store)
  await fixture.expectConverged(store)
  await fixture.logged('rebuilding from offset 0, because the source topic was recreated')
  await store.close()
  fixture.lines.length = 0
  const again = fixture.openLogged()
  await fixture.quiet(again)
  await fixture.expectConverged(again)
  expect(fixture.hasLogged('rebuilding')).toBeFalse()
})

test('a store rebuilds when its changelog was recreated, with as many records as before or more', async () => {
  await using fixture = await Fixture.create()
  await fixture.produce(messages('former', 50))
  await fixture.startAndStop()
  const { records } = await fixture.readChangelog()
  await fixture.cluster.deleteTopic(fixture.changelog)
  await createTopic(fixture.cluster.broker, fixture.changelog, { config: { 'cleanup.policy': 'compact' } })
  // Another instance has written the last record, as often as it takes, before it ended.
  const { key, value, src } = records.at(-1)!
  const copy = { key, value, headers: { src: headerOf(src) }, timestamp }
  await fixture.cluster.produce(
    fixture.changelog,
    Array.from({ length: 80 }, () => copy),
  )
  const store = fixture.openLogged()
  await fixture.quiet(store)
  await fixture.expectConverged(store)
  await fixture.logged('the changelog was truncated or recreated: its topic id is')
  await store.close()
  await compact(fixture.cluster, fixture.changelog)
  await fixture.startAndStop()
})
