import { expect, test } from 'bun:test'
import { type KafkaClient } from '../../../lib/kafka/client.ts'
import { type StoreConfig } from '../../../lib/store-protocol/store-config.ts'
import { endedEarly } from '../../../lib/store-thread/recovery/ended-early.ts'
import { FakeClient } from '../../kafka/fake-client.ts'

const config = { storeId: 'orders', sourceTopic: 'orders', changelogTopic: 'orders-changelog' } as StoreConfig

/** A group that has committed for partitions 0, 1, … with this metadata. */
function groupWith(metadata: string[]): KafkaClient {
  const partitions = metadata.map((text, partition) => ({ partition, offset: '9', metadata: text, errorCode: 0 }))
  const group = {
    persist: <T>(operation: () => Promise<T>) => operation(),
    coordinator: async () => 1,
    call: async () => ({ errorCode: 0, responses: [{ partitions }] }),
  }
  return group as unknown as KafkaClient
}

test('a changelog ended early where it does not reach what a commit states, by one record already', async () => {
  const changelog = new FakeClient({ 0: 1, 1: 1, 2: 1, 3: 1 })
  for (const [partition, latest] of [10, 9, 11, 0].entries()) changelog.offsets.set(partition, { earliest: 0, latest })
  const stated = 'latchkey/1 changelog-start=0 changelog-end=10'
  const consumer = groupWith([stated, stated, stated, 'latchkey/1 rebuilding'])
  const found = await endedEarly({ consumer, changelog: changelog.client }, config, [0, 1, 2, 3])
  expect(found).toEqual(new Map([[1, 'it ends at offset 9, it had reached 10']]))
})
