import { expect, test } from 'bun:test'
import { createTopic } from '../kafka/index.ts'
import { Fixture } from './support/fixture.ts'
import { until } from '../until.ts'

function orders(from: number, count: number) {
  return Array.from({ length: count }, (_, index) => ({ key: `order-${from + index}`, value: `{"n":${from + index}}` }))
}

test('a store ends before it commits when its changelog is recreated under it, and rebuilds at the next start', async () => {
  await using fixture = await Fixture.create()
  const store = fixture.open()
  await fixture.produce(orders(0, 100))
  await fixture.quiet(store)
  await until('it has committed', async () => (await fixture.committed()).get(0) === 100)

  await fixture.cluster.deleteTopic(fixture.changelog)
  await createTopic(fixture.cluster.broker, fixture.changelog, { config: { 'cleanup.policy': 'compact' } })
  await fixture.produce(orders(100, 5))
  const failure = await store.failed
  expect(failure.message).toContain('recreated or truncated')
  expect(await fixture.committed()).toEqual(new Map([[0, 100]]))

  const rebuilt = fixture.openLogged()
  await fixture.quiet(rebuilt)
  expect(fixture.told('rebuilding from offset 0')).toBeTrue()
  await fixture.expectConverged(rebuilt)
  await rebuilt.close()
  fixture.lines.length = 0
  const again = fixture.openLogged()
  await fixture.quiet(again)
  expect(fixture.told('rebuilding')).toBeFalse()
  await fixture.expectConverged(again)
})
