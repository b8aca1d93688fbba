import { expect, test } from 'bun:test'
import { openStore } from '../../lib/index.ts'
import sums from '../support/library/sums.ts'
import { Fixture } from '../support/store/fixture.ts'
import { until } from '../support/until.ts'

test('a callback gets what a program has written, visible or not, and does not run for that write', async () => {
  await using fixture = await Fixture.create()
  const { source: sourceTopic, cluster } = fixture
  const options = {
    sourceTopic,
    kafkaBrokers: cluster.broker.bootstrap,
    autoFlushSeconds: 3600,
    autoFlushCount: 100_000,
  }
  await using store = openStore(options, sums)
  await store.ready
  const produce = async (sum: number) => {
    await fixture.produce([{ key: 'a', value: JSON.stringify({ sum }) }])
    const { ends } = await fixture.readSource()
    await until('it is read', () => store.status().details[0]!.position === ends.get(0))
  }
  await produce(1)
  await store.put('a', { sum: 100 })
  await produce(2)
  await store.flush()
  expect(await store.get('a')).toEqual({ sum: 102 })

  // Written and read again and again, with what is visible far behind.
  for (let round = 1; round <= 5; round++) {
    await store.put('a', { sum: round * 1_000 })
    await produce(round)
    await produce(round)
  }
  await store.delete('a')
  await produce(7)
  await store.flush()
  expect(await store.get('a')).toEqual({ sum: 7 })
  const { records } = await fixture.readChangelog()
  const written = records.map(({ value }) => value && (JSON.parse(value) as { sum: number }).sum)
  expect(written.slice(3, 9)).toEqual([1_000, 1_001, 1_002, 2_000, 2_002, 2_004])
  expect(written.slice(-2)).toEqual([null, 7])
})
