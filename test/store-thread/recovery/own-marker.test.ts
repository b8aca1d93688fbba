import { expect, test } from 'bun:test'
import { type MarkerContext, watchMarkers } from '../../../lib/store-thread/recovery/own-marker.ts'
import { FakeClient } from '../../support/kafka/fakes/fake-client.ts'
import { until } from '../../support/until.ts'

test('partitions whose markers are missing are taken again at the same time, 16 at most', async () => {
  const partitions = Array.from({ length: 20 }, (_, partition) => partition)
  const fake = new FakeClient(Object.fromEntries(partitions.map((partition) => [partition, 1])))
  for (const partition of partitions) fake.offsets.set(partition, { earliest: 0, latest: 3 })
  const again: number[] = []
  const taken = Promise.withResolvers<void>()
  const context: MarkerContext = {
    client: fake.client,
    changelogTopic: 'changelog',
    identityOf: (partition) => (partition === 3 ? undefined : { producerId: 1, producerEpoch: 0 }),
    fenceAgain: (partition) => {
      again.push(partition)
      return taken.promise
    },
  }
  const progress = new Map(
    partitions.map((partition) => [partition, { position: 3, end: 3, endEpoch: partition === 5 ? 0 : -1 }]),
  )
  const stopping = new AbortController()
  const watching = watchMarkers(context, progress, stopping.signal, 1)
  await until('16 are being taken', () => again.length === 16)
  const waiting = partitions.filter((partition) => partition !== 3 && partition !== 5)
  expect(again).toEqual(waiting.slice(0, 16))
  taken.resolve()
  await until('the others are, too', () => again.length >= 18)
  expect(again.slice(0, 18)).toEqual(waiting)
  stopping.abort()
  await watching
})
