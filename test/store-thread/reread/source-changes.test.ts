import { expect, test } from 'bun:test'
import { changedReason, requireMemory, requireSamePartitions } from '../../../lib/store-thread/reread/source-changes.ts'
import type { StoreContext } from '../../../lib/store-thread/store-context.ts'
import { settingsFrom } from '../../support/instances/settings.ts'

const topics = { SOURCE_TOPIC: 'orders', KAFKA_BROKERS: 'localhost:9092' }
const config = settingsFrom(topics)

test('the message about a changed source names both topics, or how much it has lost and where', () => {
  expect(changedReason(config, 3, { kind: 'recreated', id: 'b', former: 'a' }, 10)).toContain(
    'orders partition 3: the topic was deleted and created again: its id is b, it had been a',
  )
  expect(changedReason(config, 3, { kind: 'truncated', at: 100 }, 150)).toContain(
    'orders partition 3: the source lost 50 records that had been read: it was truncated at offset 100, where 150 had been reached',
  )
})

test('an instance without memory cannot determine which keys to delete', () => {
  expect(() => requireMemory(config)).not.toThrow()
  expect(() => requireMemory({ ...config, useProcessingOnly: true })).toThrow(
    expect.objectContaining({ code: 'store_failed', message: expect.stringContaining('USE_PROCESSING_ONLY') }),
  )
})

test.each([
  [4, undefined],
  [5, undefined],
  [3, 'topics_unfit'],
])('a source that was recreated with %p partitions where the changelog has 4: %p', async (count, code) => {
  const consumer = {
    retryForever: <T>(operation: () => Promise<T>) => operation(),
    metadata: async () => [{ errorCode: 0, partitions: Array.from({ length: count }, () => ({})) }],
  }
  const context = { clients: { consumer }, config, topology: { partitionCount: 4 } } as unknown as StoreContext
  const failure = await requireSamePartitions(context).catch((error: { code: string }) => error)
  expect(failure?.code).toBe(code)
})
