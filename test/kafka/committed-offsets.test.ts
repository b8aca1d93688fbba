import { expect, test } from 'bun:test'
import type { KafkaClient } from '../../lib/kafka/client.ts'
import { commitOffsets, fetchCommitted } from '../../lib/kafka/offsets.ts'

const coordinatorLoads = 14
const notCoordinator = 16

/** A client whose coordinator answers with these partitions; `forgotten` counts how often it was taken for another one. */
function answering(partitions: Record<string, unknown>[], errorCode = 0) {
  const seen = { forgotten: 0 }
  const client = {
    coordinator: async () => 1,
    forgetCoordinator: () => void seen.forgotten++,
    call: async () => ({ errorCode, responses: [{ topic: 'orders', partitions }] }),
  } as unknown as KafkaClient
  return { client, seen }
}

const committed = { partition: 0, offset: '12', metadata: 'a note', errorCode: 0 }

test('fetchCommitted takes -1 for no commit, and nothing else', async () => {
  const { client } = answering([committed, { ...committed, partition: 1, offset: '-1', metadata: null }])
  expect(await fetchCommitted(client, 'group', 'orders', [0, 1])).toEqual(
    new Map([[0, { offset: 12, metadata: 'a note' }]]),
  )
})

test('fetchCommitted fails when one partition has an error: that is not the same as no commit', async () => {
  const { client } = answering([committed, { partition: 1, offset: '-1', metadata: '', errorCode: coordinatorLoads }])
  await expect(fetchCommitted(client, 'group', 'orders', [0, 1])).rejects.toMatchObject({
    retriable: true,
    message: expect.stringContaining('orders partition 1: the broker answered COORDINATOR_LOAD_IN_PROGRESS'),
  })
})

test.each(['fetchCommitted', 'commitOffsets'])('%s asks for the coordinator again when it has moved', async (name) => {
  const { client, seen } = answering([{ ...committed, errorCode: notCoordinator }])
  const request =
    name === 'fetchCommitted'
      ? fetchCommitted(client, 'group', 'orders', [0])
      : commitOffsets(client, 'group', 'orders', new Map([[0, { offset: 1, metadata: '' }]]))
  await expect(request).rejects.toMatchObject({ retriable: true })
  expect(seen.forgotten).toBe(1)
})
