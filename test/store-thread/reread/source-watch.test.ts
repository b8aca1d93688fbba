import { expect, test } from 'bun:test'
import { EpochTrail } from '../../../lib/kafka/epoch-trail.ts'
import type { TopicMetadata } from '../../../lib/kafka/protocol/metadata.ts'
import { TopicView } from '../../../lib/kafka/topic-view.ts'
import { BatchPool } from '../../../lib/store-thread/ingest/changelog-batch.ts'
import { PartitionIngest } from '../../../lib/store-thread/ingest/partition-ingest.ts'
import { RereadFilter } from '../../../lib/store-thread/ingest/reread-filter.ts'
import { type SourceChange, SourceWatch } from '../../../lib/store-thread/reread/source-watch.ts'
import type { StoreContext } from '../../../lib/store-thread/store-context.ts'
import { FakeClient } from '../../support/kafka/fakes/fake-client.ts'
import { endOfEpochResponse } from '../../support/kafka/fakes/responses.ts'
import { until } from '../../support/until.ts'

/** A partition 0 that was read to 150, its records of epoch 3. */
function watched(epochs = '3@0') {
  const fake = new FakeClient({ 0: 1 })
  const topics = new TopicView()
  Object.assign(fake, { topics, metadata: async () => [] })
  const state = new PartitionIngest(0, 150, new BatchPool(1 << 20, 4), false, EpochTrail.from(epochs))
  const changes: SourceChange[] = []
  const failures: unknown[] = []
  const context = {
    clients: { consumer: fake.client },
    config: { sourceTopic: 'orders' },
    roles: { primaries: [0] },
    failed: (error: unknown) => failures.push(error),
  }
  const watch = new SourceWatch(
    context as unknown as StoreContext,
    { partition: (partition) => (partition === 0 ? state : undefined) },
    { changed: (_, change) => changes.push(change), isChanging: () => changes.length > 0 },
  )
  const elect = (id: string, leaderEpoch: number) => topics.update(answer(id, leaderEpoch))
  elect('a', 3)
  const answerEpochEnd = async (epoch: number, endOffset: number) => {
    const exchange = await fake.next()
    exchange.answer(endOfEpochResponse('orders', { partition: 0, epoch, endOffset }))
  }
  return { fake, state, watch, changes, failures, elect, answerEpochEnd }
}

function answer(id: string, leaderEpoch: number): TopicMetadata {
  const partitions = [{ partition: 0, leader: 1, leaderEpoch, replicas: 3, errorCode: 0 }]
  return { topic: 'orders', id, errorCode: 0, partitions }
}

test('an election after which all that was read is still there changes nothing', async () => {
  const { elect, answerEpochEnd, changes, fake } = watched()
  elect('a', 4)
  await answerEpochEnd(3, 150)
  await Bun.sleep(0)
  expect([changes, fake.unseen]).toEqual([[], 0])
})

test('an election that has truncated what was read is noticed at once, without a record', async () => {
  const { elect, answerEpochEnd, changes } = watched()
  elect('a', 4)
  await answerEpochEnd(3, 100)
  await until('it is noticed', () => changes.length > 0)
  expect(changes).toEqual([{ kind: 'truncated', at: 100 }])
})

test('another id is another topic, before any request fails', () => {
  const { elect, changes, fake } = watched()
  elect('b', 0)
  expect(changes).toEqual([{ kind: 'recreated', id: 'b', former: 'a' }])
  expect(fake.unseen).toBe(0)
})

test('records of a new epoch cause a check of what was read before them', async () => {
  const { watch, state, answerEpochEnd, changes } = watched('3@0,5@150')
  state.consumeTo(200)
  watch.epochBegan(0)
  await answerEpochEnd(3, 120)
  await until('it is noticed', () => changes.length > 0)
  expect(changes).toEqual([{ kind: 'truncated', at: 120 }])
})

test('a partition that is read again is checked as far as it was read before', async () => {
  const { elect, state, answerEpochEnd, changes } = watched()
  state.consumeTo(10)
  state.setReread(new RereadFilter(120, new Set(), () => true))
  elect('a', 4)
  await answerEpochEnd(3, 110)
  await until('it is noticed', () => changes.length > 0)
  expect(changes).toEqual([{ kind: 'truncated', at: 110 }])
})

test('a partition whose position is past the end is checked on request', async () => {
  const { watch, answerEpochEnd, changes } = watched()
  const asked = watch.hasChanged(0, 150)
  await answerEpochEnd(3, 130)
  expect(await asked).toBeTrue()
  expect(await watch.hasChanged(0, 150)).toBeTrue()
  expect(changes).toHaveLength(1)
})

test('without a known epoch the end decides, and nothing is asked about a lost partition, or after a stop', async () => {
  const { watch, elect, fake, state, changes } = watched('')
  elect('a', 4)
  fake.offsets.set(0, { earliest: 0, latest: 150 }).set(7, { earliest: 0, latest: 1 })
  fake.leading.set(7, 1)
  expect(await watch.hasChanged(0, 150)).toBeFalse()
  expect(await watch.hasChanged(7, 5)).toBeFalse()
  fake.offsets.set(0, { earliest: 0, latest: 149 })
  expect(await watch.hasChanged(0, 150)).toBeTrue()
  expect(changes).toEqual([{ kind: 'truncated', at: 149 }])
  state.epochs.note(4, 0)
  watch.stop()
  elect('a', 5)
  expect(fake.unseen).toBe(0)
})
