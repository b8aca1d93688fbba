import { expect, test } from 'bun:test'
import { EpochTrail } from '../../lib/kafka/epoch-trail.ts'
import type { TopicListener } from '../../lib/kafka/topic-view.ts'
import { type ReplicaPosition, ReplicaWatch } from '../../lib/store-thread/replica-watch.ts'
import { FakeClient } from '../support/kafka/fakes/fake-client.ts'
import { endOfEpochResponse } from '../support/kafka/fakes/responses.ts'
import { until } from '../support/until.ts'

/** A replica of partition 0, read up to offset 20: epoch 3 from 0 on, epoch 5 from 12 on. */
function start(read = '3@0,5@12', position = 20) {
  const fake = new FakeClient({ 0: 1 })
  const said: string[] = []
  let listener: TopicListener | undefined
  fake.topics.watch = (_, given) => {
    listener = given
    return () => (listener = undefined)
  }
  const replicas = new Map<number, ReplicaPosition>([[0, { position, epochs: EpochTrail.from(read) }]])
  const watch = new ReplicaWatch(fake.client, 'changelog', {
    replicas,
    changed: (partition, found) => said.push(`${partition}: ${found}`),
    failed: (error) => {
      throw error
    },
  })
  return { fake, watch, said, topic: () => listener }
}

test('a replica differs from a changelog that has lost what was read in the last epoch', async () => {
  const { fake, said, topic } = start()
  topic()!.elected!(0, 6)
  ;(await fake.next()).answer(endOfEpochResponse('changelog', { partition: 0, epoch: 5, endOffset: 15 }))
  await until('it is said', () => said.length > 0)
  expect(said).toEqual(['0: it lost what was read of it from offset 15 on'])
})

test('a replica differs from a changelog that lacks what was read before a new epoch', async () => {
  const { fake, watch, said } = start()
  watch.epochBegan(0)
  ;(await fake.next()).answer(endOfEpochResponse('changelog', { partition: 0, epoch: 3, endOffset: 11 }))
  await until('it is said', () => said.length > 0)
  expect(said).toEqual(['0: it lost what was read of it from offset 11 on'])
})

test('a replica is unchanged when the changelog has everything that was read', async () => {
  const { fake, said, topic } = start()
  topic()!.elected!(0, 6)
  const asked = await fake.next()
  asked.answer(endOfEpochResponse('changelog', { partition: 0, epoch: 5, endOffset: 20 }))
  topic()!.elected!(7, 6) // no replica of that partition
  topic()!.elected!(0, 7)
  ;(await fake.next()).answer(endOfEpochResponse('changelog', { partition: 0, epoch: 5, endOffset: 90 }))
  topic()!.recreated!('new', 'old')
  expect(said).toEqual(['0: the topic was recreated'])
})

test('a replica that has read nothing yet asks nothing', () => {
  const { fake, watch, topic } = start('', 0)
  topic()!.elected!(0, 6)
  watch.epochBegan(0)
  expect(fake.unseen).toBe(0)
  watch.stop()
  expect(topic()).toBeUndefined()
})
