import { expect, test } from 'bun:test'
import type { TopicMetadata } from '../../lib/kafka/client.ts'
import { newChangelog, topicIdWarnings, warningsAbout } from '../../lib/topics/changelog-topic.ts'

function topic(replicas: number, partitions = 2): TopicMetadata {
  const one = (partition: number) => ({ partition, leader: 1, leaderEpoch: 0, replicas, errorCode: 0 })
  return { topic: 'log', id: undefined, errorCode: 0, partitions: Array.from({ length: partitions }, (_, n) => one(n)) }
}

const sourceConfig = new Map([
  ['max.message.bytes', '2000000'],
  ['message.timestamp.after.max.ms', '1000'],
])

test.each([
  [1, undefined],
  [2, undefined],
  [3, '2'],
  [5, '2'],
])('a new changelog has as many replicas as its source, %d, and two in sync if one may be lost', (replicas, inSync) => {
  expect(newChangelog(topic(replicas, 4), sourceConfig)).toEqual({
    partitions: 4,
    replicationFactor: replicas,
    config: {
      'cleanup.policy': 'compact',
      'delete.retention.ms': '604800000',
      'max.message.bytes': expect.stringMatching(/^2000\d\d\d$/),
      'message.timestamp.type': 'CreateTime',
      'message.timestamp.before.max.ms': '9223372036854775807',
      'message.timestamp.after.max.ms': '9223372036854775807',
      'unclean.leader.election.enable': 'false',
      ...(inSync === undefined ? {} : { 'min.insync.replicas': inSync }),
    },
  })
})

const good = {
  'cleanup.policy': 'compact',
  'max.message.bytes': '3000000',
  'message.timestamp.type': 'CreateTime',
  'min.insync.replicas': '2',
  'unclean.leader.election.enable': 'false',
}

test.each<[string, replicas: number, Record<string, string>, said: string[]]>([
  ['nothing', 3, {}, []],
  ['one replica in sync', 3, { 'min.insync.replicas': '1' }, ['set min.insync.replicas=2 on it']],
  [
    'an unclean election',
    3,
    { 'unclean.leader.election.enable': 'true' },
    ['set unclean.leader.election.enable=false'],
  ],
  ['fewer replicas than the source', 1, { 'min.insync.replicas': '1' }, ['keeps 1 replica, and the source 3']],
])('a changelog that could lose acknowledged records causes a warning: %s', (_what, replicas, config, said) => {
  const warnings = warningsAbout(topic(replicas), 3, sourceConfig, new Map(Object.entries({ ...good, ...config })))
  expect(warnings).toEqual(said.map((words) => expect.stringContaining(words)))
})

test('a single broker is no reason for a warning', () => {
  const config = { ...good, 'min.insync.replicas': '1', 'unclean.leader.election.enable': 'true' }
  expect(warningsAbout(topic(1), 1, sourceConfig, new Map(Object.entries(config)))).toEqual([])
})

test('brokers without topic ids cause a warning that names the topic', () => {
  expect(topicIdWarnings({ topic: 'orders', id: 'abcdefghijklmnopqrstuw' })).toEqual([])
  expect(topicIdWarnings({ topic: 'orders', id: undefined })).toEqual([
    expect.stringMatching(/^The brokers know no topic ids \(Kafka before 2\.8\): .*orders/),
  ])
})
