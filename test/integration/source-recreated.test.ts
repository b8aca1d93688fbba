/** The source topic was recreated: the store ends with what the new one holds, and nothing of the former. */
import { expect, test } from 'bun:test'
import { headerOf } from '../support/kafka/record-batch/raw-batch.ts'
import { compact } from '../support/store/compaction.ts'
import { Fixture } from '../support/store/fixture.ts'

const entries = 300

function messages(name: string, count: number) {
  return Array.from({ length: count }, (_, i) => ({ key: `${name}-${i}`, value: `${name} value ${i}` }))
}

async function filled(): Promise<Fixture> {
  const fixture = await Fixture.create()
  await fixture.produce(messages('former', entries))
  await fixture.produce([{ key: 'both', value: 'former' }])
  await fixture.startAndStop()
  return fixture
}

test.each([
  ['empty', 0],
  ['shorter', entries / 3],
  ['equally long', entries],
  ['longer', 2 * entries],
])('a store ends with only the new source when it is %s', async (_, count) => {
  await using fixture = await filled()
  await fixture.cluster.recreateTopic(fixture.source)
  await fixture.produce([...messages('new', count), ...(count > 0 ? [{ key: 'both', value: 'new' }] : [])])

  const store = fixture.openLogged()
  await fixture.quiet(store)
  await fixture.expectConverged(store)
  expect(fixture.lines.filter((line) => line.startsWith('error'))).toEqual([
    expect.stringContaining('the source topic was recreated or truncated'),
  ])
  expect(await fixture.value(store, 'former-7')).toBeUndefined()
  await store.close()
  if (count > 0) expect(await fixture.committed()).toEqual(new Map([[0, count + 1]]))

  for (const isCompacted of [false, true]) {
    if (isCompacted) await compact(fixture.cluster, fixture.changelog)
    fixture.lines.length = 0
    const again = fixture.openLogged()
    await fixture.quiet(again)
    await fixture.expectConverged(again)
    // The record that compact() writes itself is another writer's.
    const isOfCompaction = (line: string) => isCompacted && line.includes('0 keys are written again')
    const logged = fixture.lines.filter((line) => /^(error|warning)/.test(line) && !isOfCompaction(line))
    expect(logged).toEqual([])
    await again.close()
  }
})

test('a store discards more keys than one batch has room for', async () => {
  await using fixture = await Fixture.create()
  const padding = 'x'.repeat(400)
  const former = messages(padding, 5000)
  for (let at = 0; at < former.length; at += 500) await fixture.produce(former.slice(at, at + 500))
  await fixture.startAndStop()
  await fixture.cluster.recreateTopic(fixture.source)
  await fixture.produce(messages('new', 10))
  for (let start = 0; start < 2; start++) {
    const store = fixture.openLogged()
    await fixture.quiet(store)
    await fixture.expectConverged(store)
    await store.close()
  }
  expect(fixture.lines.filter((line) => line.includes('5000 keys deleted before it is rebuilt'))).toHaveLength(1)
})

test('a store discards what is left of the former source when it was killed while it did so', async () => {
  await using fixture = await filled()
  await fixture.cluster.recreateTopic(fixture.source)
  await fixture.produce(messages('new', 2 * entries))
  // As a discard that was killed leaves it: some tombstones are written, the others not.
  await fixture.cluster.produce(
    fixture.changelog,
    messages('former', entries / 2).map(({ key }) => ({ key, value: null, headers: { src: headerOf(-2) } })),
  )
  for (let start = 0; start < 2; start++) {
    const store = fixture.open()
    await fixture.quiet(store)
    await fixture.expectConverged(store)
    await store.close()
  }
})

test('a store ends with only the new source when only tombstones of the former one were ingested', async () => {
  await using fixture = await Fixture.create()
  await fixture.produce(messages('former', entries).map(({ key }) => ({ key, value: null })))
  await fixture.startAndStop()
  await fixture.cluster.recreateTopic(fixture.source)
  await fixture.produce(messages('new', entries / 2))
  await fixture.startAndStop()
  fixture.lines.length = 0
  const again = fixture.openLogged()
  await fixture.quiet(again)
  await fixture.expectConverged(again)
  expect(fixture.lines.filter((line) => /^(error|warning)/.test(line))).toEqual([])
})

test('a store without source offsets in its changelog ends with only the new source when it is shorter than the commit', async () => {
  await using fixture = await Fixture.create({ changelog: {} })
  await fixture.cluster.produce(fixture.changelog, messages('former', entries))
  await fixture.cluster.commit(fixture.storeId, fixture.source, 0, entries)
  await fixture.produce(messages('new', entries / 2))
  const store = fixture.openLogged()
  await fixture.quiet(store)
  await fixture.expectConverged(store)
  await fixture.logged('the source topic was recreated or truncated')
  await store.close()
  expect(await fixture.committed()).toEqual(new Map([[0, entries / 2]]))
  await fixture.startAndStop()
})
