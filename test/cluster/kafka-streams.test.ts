/** A changelog is one that Kafka Streams reads, and one that Kafka Streams has written can be gone on with. */
import { expect, test } from 'bun:test'
import { fold, readTopic } from '../support/fault-run/oracle.ts'
import { answer, Instances } from '../support/instances/instances.ts'
import { consume, copyOf } from '../support/instances/kafka-streams.ts'
import { uniqueName } from '../support/kafka/index.ts'

function numbered(from: number, to: number): Record<string, string | null> {
  const numbers = Array.from({ length: to - from }, (_, index) => from + index)
  return Object.fromEntries(numbers.map((number) => [`ключ ${number % 60}`, number % 5 ? `{"n":${number}}` : null]))
}

test('a store of Kafka Streams that copies a changelog holds what the source has', async () => {
  await using instances = await Instances.create()
  await instances.write(numbered(0, 50))
  const store = await instances.openReady()
  await instances.write({ ...numbered(25, 110), empty: '' })
  await instances.agrees(store, [0, 1, 2])
  const wanted = fold((await readTopic(instances.broker.direct, instances.source)).records)
  for (const [key, value] of wanted) if (value === null) wanted.delete(key)
  expect(wanted.size).toBeGreaterThan(40)
  expect(await copyOf(instances.broker, uniqueName('streams'), instances.changelog)).toEqual(
    wanted as Map<string, string>,
  )
})

test('a store recovers a changelog that Kafka Streams has written and continues at its commit', async () => {
  await using instances = await Instances.create()
  await instances.write(numbered(0, 60))
  await instances.write(numbered(60, 90))
  const application = uniqueName('streams')
  const changelog = await consume(instances.broker, application, instances.source, 'orders', 90)
  expect(await instances.committed(application)).toEqual(await instances.ends(instances.source))
  const before = (await readTopic(instances.broker.direct, changelog)).records
  // Kafka Streams writes at least once: it may have written some of the 90 twice.
  const written = before.length
  expect(written).toBeGreaterThanOrEqual(90)
  expect(before.filter(({ src }) => src >= 0)).toEqual([])

  const settings = { STORE_ID: application, CHANGELOG_TOPIC: changelog }
  const recovered = await instances.openReady(settings)
  await instances.agrees(recovered, [0, 1, 2])
  expect(recovered.stats.count('recordsRecovered')).toBe(written)
  await instances.write({ 'ключ 1': 'new', 'ключ 2': null })
  await instances.agrees(recovered, [0, 1, 2])
  await recovered.close()
  const after = (await readTopic(instances.broker.direct, changelog)).records
  expect(after.length).toBe(written + 2)
  expect(
    after
      .filter(({ src }) => src >= 0)
      .map(({ key }) => key)
      .toSorted(),
  ).toEqual(['ключ 1', 'ключ 2'])

  const again = await instances.openReady(settings)
  await instances.agrees(again, [0, 1, 2])
  expect(await answer(again, 'ключ 1')).toBe('new')
})
