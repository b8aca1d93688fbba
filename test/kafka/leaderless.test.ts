/** What is said of partitions without a leader, by everything that needs one. */
import { afterEach, expect, test } from 'bun:test'
import type { KafkaClient } from '../../lib/kafka/client.ts'
import { endOfLeaderEpoch } from '../../lib/kafka/leader-epochs.ts'
import { listOffsets } from '../../lib/kafka/offsets.ts'
import { fetchAt } from '../../lib/store-thread/recovery/fetch-at.ts'
import { FakeClient } from '../support/kafka/fakes/fake-client.ts'
import { start, stopServing } from '../support/kafka/fakes/leader-loops-setup.ts'
import { until } from '../support/until.ts'

afterEach(stopServing)

const asks: [name: string, ask: (client: KafkaClient) => Promise<unknown>][] = [
  ['an offset', (client) => listOffsets(client, 'orders', [3], 'latest')],
  ['a leader epoch', (client) => endOfLeaderEpoch(client, 'orders', 3, 7)],
  ['a batch', (client) => fetchAt(client, 'orders', 3, 0)],
]

test.each(asks)('a deleted topic is named as deleted, and not as without a leader: %s', async (_, ask) => {
  const fake = new FakeClient({})
  const failure = () => ask(fake.client).catch((error: unknown) => error)
  expect(await failure()).toMatchObject({
    message: expect.stringMatching(/ partition 3.*: the broker answered LEADER_NOT_AVAILABLE$/),
    retriable: true,
    details: { partitions: [3] },
  })
  fake.isMissing = true
  expect(await failure()).toMatchObject({
    message: expect.stringMatching(
      / partition 3.*: the brokers know no topic orders: it was deleted; create it again$/,
    ),
    retriable: true,
    details: { partitions: [3] },
  })
})

test('a deleted topic is the trouble of the partitions that wait for a leader', async () => {
  const fake = new FakeClient({})
  fake.isMissing = true
  start(fake, [0])
  await until('the partition is in trouble', () => fake.troubles.length > 0)
  expect(fake.troubles[0]).toBe(
    'Finding the leader of topic partition 0: the brokers know no topic topic: it was deleted; create it again',
  )
})
