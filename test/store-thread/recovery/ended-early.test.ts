import { expect, test } from 'bun:test'
import { endedEarly } from '../../../lib/store-thread/recovery/ended-early.ts'
import { FakeClient } from '../../support/kafka/fakes/fake-client.ts'

test('a changelog ended early where it does not reach what a commit states, by one record already', async () => {
  const changelog = new FakeClient({ 0: 1, 1: 1, 2: 1, 3: 1 })
  for (const [partition, latest] of [10, 9, 11, 0].entries()) changelog.offsets.set(partition, { earliest: 0, latest })
  const stated = 'latchkey/1 changelog-start=0 changelog-end=10'
  const metadata = [stated, stated, stated, 'latchkey/1 rebuilding']
  const committed = new Map(metadata.map((text, partition) => [partition, { offset: 9, metadata: text }]))
  const found = await endedEarly(changelog.client, 'orders-changelog', committed)
  expect(found).toEqual(new Map([[1, 'it ends at offset 9, it had reached 10']]))
})
