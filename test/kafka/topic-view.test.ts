import { expect, test } from 'bun:test'
import type { TopicMetadata } from '../../lib/kafka/protocol/metadata.ts'
import { TopicView } from '../../lib/kafka/topic-view.ts'

function answer(id: string | undefined, ...partitions: [leader: number, leaderEpoch: number][]): TopicMetadata {
  return {
    topic: 'orders',
    id,
    errorCode: 0,
    partitions: partitions.map(([leader, leaderEpoch], partition) => ({
      partition,
      leader,
      leaderEpoch,
      replicas: 3,
      errorCode: 0,
    })),
  }
}

function watched() {
  const view = new TopicView()
  const heard: string[] = []
  view.watch('orders', {
    recreated: (id, former) => heard.push(`${former} is ${id} now`),
    elected: (partition, leaderEpoch) => heard.push(`${partition} in epoch ${leaderEpoch}`),
  })
  return { view, heard }
}

test('a view says of a partition that it was elected a leader when its epoch rises', () => {
  const { view, heard } = watched()
  view.update(answer('a', [1, 0], [2, 7]))
  view.update(answer('a', [1, 0], [3, 9]))
  expect(heard).toEqual(['1 in epoch 9'])
  expect([view.leader('orders', 1), view.leaderEpoch('orders', 1)]).toEqual([3, 9])
})

test('partitions with a lower epoch in an answer are ignored', () => {
  const { view, heard } = watched()
  view.update(answer('a', [1, 5], [2, 7]))
  view.update(answer('a', [9, 4], [3, 8]))
  expect([view.leader('orders', 0), view.leaderEpoch('orders', 0)]).toEqual([1, 5])
  expect(view.leader('orders', 1)).toBe(3)
  view.forgetLeader('orders', 0)
  view.update(answer('a', [9, 4], [3, 8]))
  expect(view.leader('orders', 0)).toBeUndefined()
  expect(heard).toEqual(['1 in epoch 8'])
})

test('a topic with another id is another topic, and the former one never returns', () => {
  const { view, heard } = watched()
  view.update(answer('a', [1, 5]))
  view.update(answer('b', [2, 0]))
  view.update(answer('a', [1, 6]))
  expect(heard).toEqual(['a is b now'])
  expect([view.id('orders'), view.leader('orders', 0), view.leaderEpoch('orders', 0)]).toEqual(['b', 2, 0])
})

test('a topic that is temporarily missing, or whose id a broker does not report, keeps its id', () => {
  const { view, heard } = watched()
  view.update(answer('a', [1, 5]))
  view.update({ ...answer(undefined), errorCode: 3 })
  expect([view.id('orders'), view.leader('orders', 0)]).toEqual(['a', undefined])
  view.update(answer('b', [1, 0]))
  expect(heard).toEqual(['a is b now'])
})

test('without ids the last answer counts, because a lower epoch may belong to another topic', () => {
  const { view, heard } = watched()
  view.update(answer(undefined, [1, 5]))
  view.update(answer(undefined, [2, 0]))
  expect([view.leader('orders', 0), view.leaderEpoch('orders', 0)]).toEqual([2, 0])
  expect(heard).toEqual(['0 in epoch 0'])
})

test('a node that fails leads nothing, and partitions without a leader have none', () => {
  const { view } = watched()
  view.update(answer('a', [1, 5], [2, 5], [-1, 5]))
  view.forgetNode(1)
  expect([0, 1, 2].map((partition) => view.leader('orders', partition))).toEqual([undefined, 2, undefined])
  expect(view.leaderEpoch('orders', 0)).toBe(5)
})

test('an ended watch receives nothing more', () => {
  const view = new TopicView()
  const heard: number[] = []
  const end = view.watch('orders', { elected: (_, leaderEpoch) => heard.push(leaderEpoch) })
  view.update(answer('a', [1, 5]))
  end()
  view.update(answer('a', [1, 6]))
  expect(heard).toEqual([])
})

test('a view knows that a topic is missing until an answer has it again', () => {
  const { view, heard } = watched()
  expect(view.isMissing('orders')).toBe(false)
  view.update(answer('a', [1, 0]))
  expect(view.isMissing('orders')).toBe(false)
  view.update({ topic: 'orders', id: undefined, errorCode: 3, partitions: [] })
  expect([view.isMissing('orders'), view.leader('orders', 0), view.id('orders')]).toEqual([true, undefined, 'a'])
  view.update(answer('b', [2, 0]))
  expect([view.isMissing('orders'), view.leader('orders', 0)]).toEqual([false, 2])
  expect(heard).toEqual(['a is b now'])
})
