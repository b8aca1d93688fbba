import { expect, test } from 'bun:test'
import { Fixture } from './support/fixture.ts'

test('a store serves the fold of its source when it is started, restarted and started anew', async () => {
  await using fixture = await Fixture.create({ partitions: 3 })
  const messages = Array.from({ length: 300 }, (_, i) => ({
    partition: i % 3,
    key: `k${(i % 3) + 3 * (i % 17)}`,
    value: i % 7 === 0 ? null : `v${i}`,
  }))
  await fixture.produce(messages)
  await fixture.startAndStop()
  await fixture.startAndStop()
  await fixture.produce([{ key: 'k0', value: 'new' }])
  const store = fixture.open()
  await fixture.quiet(store)
  await fixture.expectConverged(store)
  expect(await fixture.value(store, 'k0')).toBe('new')
})
