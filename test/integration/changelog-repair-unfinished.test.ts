/** During a repair the commit says so, lookups continue, and a store that ends then leaves a partition that the next start discards. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { fetchCommitted } from '../../lib/kafka/offsets.ts'
import { rebuildingMetadata } from '../../lib/topics/completeness.ts'
import { type KafkaBroker, startKafka } from '../support/kafka/index.ts'
import { cutChangelog } from '../support/store/cut-changelog.ts'
import { Fixture } from '../support/store/fixture.ts'
import { withClient } from '../support/store/topic-log.ts'
import { until } from '../support/until.ts'

const produce = 0
const listOffsets = 2
let broker: KafkaBroker

beforeAll(async () => {
  broker = await startKafka({ proxy: true })
})
afterAll(() => broker.close())

function orders(from: number, count: number, value = 'value') {
  return Array.from({ length: count }, (_, i) => ({ key: `order-${from + i}`, value: `${value} ${from + i}` }))
}

async function metadataOf({ storeId, source }: Fixture): Promise<string | undefined> {
  const committed = await withClient(broker.direct, (client) => fetchCommitted(client, storeId, source, [0]))
  return committed.get(0)?.metadata
}

test('nothing is committed over the note of a repair before it is done, and a start that finds the note discards and rebuilds', async () => {
  await using fixture = await Fixture.create({ broker })
  const store = fixture.openLogged({ autoFlushCount: 1 })
  await fixture.produce(orders(0, 200))
  await fixture.quiet(store)
  await until('it has committed', async () => (await fixture.committed()).get(0) === 200)

  // A batch lands before the end of the log is looked at. The next one is the first of the repair, and does not come through.
  let produced = 0
  broker.proxy!.onRequest = ({ apiKey }) => {
    if (apiKey === listOffsets && produced === 0) return 'drop'
    return apiKey === produce && ++produced > 1 ? 'drop' : undefined
  }
  await cutChangelog(fixture, 100)
  await fixture.produce([...orders(200, 1), { key: 'order-7', value: null }])
  await until('the repair writes', () => produced > 1)
  expect(await metadataOf(fixture)).toBe(rebuildingMetadata)
  const { details, reason, conditions } = store.status()
  expect(details[0]!.state).toBe('repairing')
  expect(reason).toContain(`${fixture.changelog} partition 0: records that were acknowledged are missing`)
  expect(conditions.every(({ ok }) => ok)).toBeTrue()
  await until('what has landed is visible', async () => (await fixture.value(store, 'order-7')) === undefined)
  expect(await fixture.value(store, 'order-150')).toBe('value 150')
  await fixture.produce(orders(0, 1, 'waits'))
  await store.close()
  expect([await metadataOf(fixture), (await fixture.committed()).get(0)]).toEqual([rebuildingMetadata, 200])

  broker.proxy!.onRequest = undefined
  fixture.lines.length = 0
  const again = fixture.openLogged()
  await fixture.quiet(again)
  await fixture.logged('a rebuild that began earlier was not finished')
  await fixture.expectConverged(again)
  await until('it has committed', async () => (await metadataOf(fixture)) !== rebuildingMetadata)
})
