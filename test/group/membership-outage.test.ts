import { expect, test } from 'bun:test'
import { KafkaClient } from '../../lib/kafka/client.ts'
import { TestMember } from '../support/group/test-member.ts'
import { startKafka, uniqueName } from '../support/kafka/index.ts'
import { toAddresses } from '../support/kafka/real-client.ts'
import { until } from '../support/until.ts'

test('a member stays one through an outage of its coordinator, and gets plans again after it', async () => {
  const broker = await startKafka()
  const brokers = toAddresses(broker.bootstrap)
  const timeouts = { connectionTimeoutMs: 10_000, requestTimeoutMs: 6_000 }
  const client = new KafkaClient({ subject: 'test', brokers, clientId: 'test', ...timeouts })
  const member = new TestMember(client, uniqueName('group'), 'a')
  const { membership, assignments } = member
  try {
    await until('the first plan', () => assignments.length === 1)
    await broker.kill()
    await until('the outage is seen', () => client.health.failures > 3)
    expect(membership.identity).toBeDefined()
    await broker.start()
    const before = member.answered
    await until('heartbeats are answered again', () => member.answered > before + 3)
    const generations = assignments.length
    membership.rejoin()
    await until('another plan', () => assignments.length > generations)
    expect(new Set(assignments.map(({ memberId }) => memberId)).size).toBe(1)
    await membership.leave()
  } finally {
    await member.leave()
    await broker.close()
  }
}, 120_000)
