import { expect, test } from 'bun:test'
import { encodeAssignment, encodeSubscription } from '../../lib/group/consumer-protocol.ts'
import { type GroupAssignment, Membership } from '../../lib/group/membership.ts'
import { sleep } from '../../lib/kafka/backoff.ts'
import { KafkaClient } from '../../lib/kafka/client.ts'
import { startKafka, uniqueName } from '../support/kafka/index.ts'
import { toAddresses } from '../support/kafka/real-client.ts'
import { soon, until } from '../support/until.ts'

test('a member stays one through an outage of its coordinator, and gets plans again after it', async () => {
  const broker = await startKafka()
  const client = new KafkaClient({
    subject: 'test',
    brokers: toAddresses(broker.bootstrap),
    clientId: 'test',
    connectionTimeoutMs: 10_000,
    requestTimeoutMs: 6_000,
  })
  const assignments: GroupAssignment[] = []
  let answered = 0
  const membership = new Membership(
    client,
    {
      group: uniqueName('group'),
      protocols: ['latchkey-1'],
      sessionTimeoutMs: 6_000,
      rebalanceTimeoutMs: 6_000,
      heartbeatMs: 100,
    },
    {
      report: () => encodeSubscription(['orders'], Buffer.alloc(0)),
      assign: (members) =>
        new Map(members.map(({ memberId }) => [memberId, encodeAssignment('orders', [], Buffer.alloc(0))])),
      assigned: (assignment) => assignments.push(assignment),
      removed: () => {},
      resigned: () => {},
      answered: () => answered++,
    },
    { nowMs: () => performance.now(), sleep },
  )
  const running = membership.run()
  await until('the first plan', () => assignments.length === 1)
  await broker.kill()
  await until('the outage is seen', () => client.health.failures > 3)
  expect(membership.identity).toBeDefined()
  await broker.start()
  const before = answered
  await until('heartbeats are answered again', () => answered > before + 3)
  const generations = assignments.length
  membership.rejoin()
  await until('another plan', () => assignments.length > generations)
  expect(new Set(assignments.map(({ memberId }) => memberId)).size).toBe(1)
  await membership.leave()
  client.close()
  await soon('the end of the membership', running)
  await broker.close()
}, 120_000)
