/** Batches of a former instance that the broker has let into the changelog after those of its successor. */
import { expect, test } from 'bun:test'
import { headerOf } from '../support/kafka/record-batch/raw-batch.ts'
import { compact } from '../support/store/compaction.ts'
import { Fixture } from '../support/store/fixture.ts'
import { fold } from '../support/store/topic-log.ts'
import { until } from '../support/until.ts'

const src = (offset: number) => ({ src: headerOf(offset) })

test('a start finds the newest records despite late ones, tombstones too, and repairs the changelog', async () => {
  await using fixture = await Fixture.create()
  await fixture.produce([
    { key: 'a', value: 'old' },
    { key: 'b', value: 'old' },
    { key: 'a', value: 'new' },
    { key: 'b', value: null },
    { key: 'c', value: 'unchanged' },
  ])
  await fixture.startAndStop()
  await fixture.cluster.produce(fixture.changelog, [
    { key: 'a', value: 'old', headers: src(0) },
    { key: 'b', value: 'old', headers: src(1) },
  ])

  const store = fixture.openLogged()
  await fixture.quiet(store)
  expect(await fixture.value(store, 'a')).toBe('new')
  expect(await fixture.value(store, 'b')).toBeUndefined()
  await fixture.logged('2 keys are written again')
  await until('they are written', async () => (await fixture.readChangelog()).records.length === 9)
  await fixture.expectConverged(store)
  await store.close()

  await compact(fixture.cluster, fixture.changelog)
  await fixture.startAndStop()
  expect(fixture.lines.filter((line) => line.startsWith('error'))).toEqual([])
})

test('a replica shows nothing older after late records, and follows the repair of its primary', async () => {
  await using fixture = await Fixture.create()
  await fixture.produce([
    { key: 'a', value: 'old' },
    { key: 'b', value: 'old' },
    { key: 'a', value: 'new' },
    { key: 'b', value: null },
  ])
  await fixture.startAndStop()
  const late = [
    { key: 'a', value: 'old', headers: src(0) },
    { key: 'b', value: 'old', headers: src(1) },
  ]
  await fixture.cluster.produce(fixture.changelog, late)
  const replica = fixture.open({ useReplicaOnly: true })
  const positionOf = () => replica.status().details[0]?.position ?? -1
  const isLevel = async () => positionOf() === (await fixture.readChangelog()).ends.get(0)!
  await until('it has what there is', isLevel)
  await replica.flush()
  expect(await fixture.value(replica, 'a')).toBe('new')

  const primary = fixture.open()
  await fixture.quiet(primary)
  await until('b is deleted in the replica', async () => (await fixture.value(replica, 'b')) === undefined)
  expect(await fixture.value(replica, 'a')).toBe('new')

  await fixture.cluster.produce(fixture.changelog, late)
  await until('the primary has put it right', async () => {
    const { records } = await fixture.readChangelog()
    const last = fold(records)
    return last.get('a')?.value === 'new' && last.get('b')?.value === null
  })
  await until('the replica has that', isLevel)
  await replica.flush()
  expect([await fixture.value(replica, 'a'), await fixture.value(replica, 'b')]).toEqual(['new', undefined])
})

test('a start treats no record of a changelog without markers as late', async () => {
  await using fixture = await Fixture.create()
  for (const value of ['1', '2', '3']) {
    await fixture.produce([{ key: 'a', value }])
    await fixture.startAndStop({ fencing: false })
  }
  const store = fixture.openLogged({ fencing: false })
  await fixture.quiet(store)
  await fixture.expectConverged(store)
  expect(fixture.hasLogged('written again')).toBe(false)
})
