/** What a start asks of its broker: its requests are counted, because a broker answers those of a connection one after another. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type KafkaBroker, startKafka } from '../support/kafka/index.ts'
import { Fixture } from '../support/store/fixture.ts'

const partitions = 100
const names: Readonly<Record<number, string>> = {
  0: 'Produce',
  1: 'Fetch',
  2: 'ListOffsets',
  3: 'Metadata',
  8: 'OffsetCommit',
  9: 'OffsetFetch',
  10: 'FindCoordinator',
  22: 'InitProducerId',
  23: 'OffsetForLeaderEpoch',
  24: 'AddPartitionsToTxn',
  26: 'EndTxn',
}
/** Requests of a fence, which Kafka takes for one transactional id each. */
const fences = ['InitProducerId', 'AddPartitionsToTxn', 'EndTxn']
/** Fetch by the topic's name, which only readers of single records and batches use. */
const versionByName = 11

let broker: KafkaBroker
beforeAll(async () => {
  broker = await startKafka({ proxy: true })
})
afterAll(() => broker.close())

test('a restart of many partitions asks for all of them at once, and takes them over several connections', async () => {
  await using fixture = await Fixture.create({ broker, partitions })
  const keys = Array.from({ length: 1_000 }, (_, index) => `key-${index}`)
  await fixture.produce(keys.map((key, index) => ({ partition: index % partitions, key, value: `value of ${key}` })))
  const first = fixture.open()
  await fixture.quiet(first)
  await first.close()

  const counts: Record<string, number> = {}
  const connections = new Set<number>()
  let fetchesByName = 0
  broker.proxy!.onRequest = ({ apiKey, apiVersion, connection }) => {
    const name = names[apiKey] ?? `request ${apiKey}`
    counts[name] = (counts[name] ?? 0) + 1
    if (name === 'EndTxn') connections.add(connection)
    if (name === 'Fetch' && apiVersion === versionByName) fetchesByName++
  }
  const again = fixture.open()
  await again.ready
  broker.proxy!.onRequest = undefined

  for (const name of fences) expect(counts[name]).toBeGreaterThanOrEqual(partitions)
  expect(connections.size).toBe(4)
  // The group's and the transactional ids', of two clients. Asked again if one is not there yet.
  expect(counts['FindCoordinator']).toBeLessThanOrEqual(6)
  // Of both topics; those of the first commit may follow.
  expect(counts['OffsetForLeaderEpoch']).toBeLessThanOrEqual(4)
  // 32 partitions each.
  expect(fetchesByName).toBe(4)
  const others = Object.entries(counts).filter(([name]) => ![...fences, 'Fetch'].includes(name))
  expect(others.reduce((sum, [, count]) => sum + count, 0)).toBeLessThanOrEqual(60)
  expect(await fixture.value(again, 'key-999')).toBe('value of key-999')
  await fixture.expectConverged(again)
})
