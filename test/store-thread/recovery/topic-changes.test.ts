import { expect, test } from 'bun:test'
import { withMarks } from '../../../lib/store-thread/recovery/marks.ts'
import { type TopicChanges, topicChanges } from '../../../lib/store-thread/recovery/topic-changes.ts'
import { completenessMetadata } from '../../../lib/topics/completeness.ts'
import { FakeClient } from '../../support/kafka/fakes/fake-client.ts'
import { bodyOf, endOfEpochResponse } from '../../support/kafka/fakes/responses.ts'

const [former, now] = ['AAAAAAAAAAAAAAAAAAAAAA', 'BBBBBBBBBBBBBBBBBBBBBB']
const [source, changelog] = ['source', 'changelog']

/** Where a leader epoch ends in each of the two logs. */
interface Ends {
  source?: { epoch: number; endOffset: number }
  changelog?: { epoch: number; endOffset: number }
}

/** After a commit of offset 20, read in the epochs 3 from 0 on and 5 from 12 on, whose changelog had reached 40 in epoch 7. */
async function changes(ends: Ends, ids: { source?: string; changelog?: string } = {}): Promise<TopicChanges> {
  const fake = new FakeClient({ 0: 1 })
  fake.topicId = now
  fake.leaderEpochs.set(0, 9)
  const marks = {
    sourceId: ids.source ?? now,
    sourceEpochs: '3@0,5@12',
    changelogId: ids.changelog ?? now,
    changelogEpoch: 7,
  }
  const metadata = withMarks(completenessMetadata({ changelogStart: 0, changelogEnd: 40 }), marks)
  fake.send = async (_, request) => {
    const isSource = bodyOf(request).includes(source)
    const end = (isSource ? ends.source : ends.changelog) ?? { epoch: isSource ? 5 : 7, endOffset: 100 }
    return endOfEpochResponse(isSource ? source : changelog, { partition: 0, ...end })
  }
  const topics = { sourceTopic: source, changelogTopic: changelog }
  return topicChanges(fake.client, topics, 0, { offset: 20, metadata })
}

test('nothing has changed when both logs have everything in the commit', async () => {
  expect(await changes({})).toEqual({ source: undefined, changelog: undefined })
  const exact = { source: { epoch: 5, endOffset: 20 }, changelog: { epoch: 7, endOffset: 40 } }
  expect(await changes(exact)).toEqual({ source: undefined, changelog: undefined })
})

test('a source whose epoch ends before the position has lost records', async () => {
  const { source: found, changelog: other } = await changes({ source: { epoch: 5, endOffset: 17 } })
  expect(found).toContain('from offset 17 on are not those that were read up to offset 20')
  expect(other).toBeUndefined()
})

test('a changelog whose epoch ends before the written end has lost records, with any length now', async () => {
  const { source: other, changelog: found } = await changes({ changelog: { epoch: 7, endOffset: 39 } })
  expect(found).toContain('from offset 39 on are not those that were written up to offset 40')
  expect(other).toBeUndefined()
})

test('a topic with another id was recreated, with any epochs', async () => {
  expect((await changes({}, { source: former })).source).toBe(`its topic id is ${now}, it had been ${former}`)
  expect((await changes({}, { changelog: former })).changelog).toBe(`its topic id is ${now}, it had been ${former}`)
})

test('there is no change without a commit', async () => {
  const topics = { sourceTopic: source, changelogTopic: changelog }
  const none = { source: undefined, changelog: undefined }
  expect(await topicChanges(new FakeClient().client, topics, 0, undefined)).toEqual(none)
})
