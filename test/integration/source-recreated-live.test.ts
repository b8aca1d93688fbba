/** The source topic is deleted and made again while a store runs: the store continues, and ends with what the new topic holds. */
import { expect, test } from 'bun:test'
import { Fixture } from '../support/store/fixture.ts'
import { until } from '../support/until.ts'

function messages(name: string, count: number, partitions = 1) {
  return Array.from({ length: count }, (_, i) => ({ key: `${name}-${i}`, value: name, partition: i % partitions }))
}

test.each([
  ['shorter', 200],
  ['at once longer', 1_500],
  ['empty', 0],
])('a running store ends with only the new source when it is %s', async (_, count) => {
  await using fixture = await Fixture.create()
  await fixture.produce([...messages('former', 1_000), { key: 'both', value: 'former' }])
  const store = fixture.openLogged()
  await fixture.quiet(store)
  await until('it has committed', async () => (await fixture.committed()).get(0) === 1_001)

  await fixture.cluster.recreateTopic(fixture.source)
  const records = [...messages('new', count), ...(count > 0 ? [{ key: 'both', value: 'new' }] : [])]
  if (count > 0) await fixture.produce(records)
  await fixture.logged('the topic was deleted and created again')
  await fixture.logged('partition 0: read again')
  await fixture.quiet(store)
  await fixture.expectConverged(store)
  expect(await fixture.value(store, 'former-7')).toBeUndefined()
  expect(store.status().reason).toBeUndefined()
  await until('it has committed', async () => (await fixture.committed()).get(0) === records.length)
  await fixture.produce([{ key: 'later', value: 'more' }])
  await fixture.quiet(store)
  await store.close()

  fixture.lines.length = 0
  const again = fixture.openLogged()
  await fixture.quiet(again)
  await fixture.expectConverged(again)
  expect(fixture.lines.filter((line) => /^(error|warning)/.test(line))).toEqual([])
})

test('misses are to be retried while a recreated source is read', async () => {
  await using fixture = await Fixture.create({ partitions: 2 })
  await fixture.produce(messages('former', 1_000, 2))
  const store = fixture.openLogged()
  await fixture.quiet(store)
  const seen = new Set<string>()
  await fixture.cluster.recreateTopic(fixture.source, 2)
  await fixture.produce(messages('new', 3_000, 2))
  await until('both partitions were read again', async () => {
    // A key that neither has: "not found" would be wrong before all is read.
    const answer = await Promise.resolve()
      .then(() => fixture.value(store, 'nowhere'))
      .catch((error: { code: string }) => error.code)
    seen.add(String(answer))
    return [0, 1].every((partition) => fixture.hasLogged(`partition ${partition}: read again`))
  })
  expect([...seen].filter((answer) => !['undefined', 'rebuilding'].includes(answer))).toEqual([])
  expect(store.state).toBe('running')
  await fixture.quiet(store)
  await fixture.expectConverged(store)
})
