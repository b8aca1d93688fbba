import { expect, test } from 'bun:test'
import { EpochTrail } from '../../../lib/kafka/epoch-trail.ts'
import { Stats } from '../../../lib/store-protocol/stats.ts'
import { CommitMetadata } from '../../../lib/store-thread/ingest/commit-metadata.ts'
import { marksIn } from '../../../lib/store-thread/recovery/marks.ts'
import type { Recovered } from '../../../lib/store-thread/recovery/recovery.ts'
import type { Resumption } from '../../../lib/store-thread/recovery/resume.ts'
import type { StoreContext } from '../../../lib/store-thread/store-context.ts'
import type { Clients } from '../../../lib/topics/clients.ts'
import { completenessOf, heldIn } from '../../../lib/topics/completeness.ts'
import { FakeClient } from '../../support/kafka/fakes/fake-client.ts'
import { endOfEpochResponse } from '../../support/kafka/fakes/responses.ts'

const id = 'AAAAAAAAAAAAAAAAAAAAAA'
const epoch = 7

/** A changelog that was written up to 40 and is in epoch 7, which its leader says ends where the test says. */
function setup() {
  const fake = new FakeClient({ 0: 1 })
  fake.topicId = id
  fake.leaderEpochs.set(0, epoch)
  const held = { written: 40, endOffset: 40, asked: 0 }
  fake.send = async () => {
    held.asked++
    return endOfEpochResponse('changelog', { partition: 0, epoch, endOffset: held.endOffset })
  }
  const { client } = fake
  const stats = new Stats([0])
  const context = {
    config: { sourceTopic: 'source', changelogTopic: 'changelog' },
    clients: { consumer: client, producer: client, changelog: client } as Clients,
    map: { stats: () => ({ entries: 3, liveBytes: 250 }), oplogBytes: 50 },
    stats,
  } as unknown as StoreContext
  const recovered = new Map([[0, { changelogStart: 2 } as Recovered]])
  const resumed = new Map([[0, { epochs: EpochTrail.from('3@0,5@12') } as Resumption]])
  const metadata = new CommitMetadata(context, { changelogEnd: () => held.written }, recovered, resumed)
  return { metadata, held, stats }
}

test('a commit states what the changelog has, of which topics, and up to which epochs', async () => {
  const { metadata } = setup()
  const stated = await metadata.of(0, 20)
  expect(completenessOf(stated)).toEqual({ changelogStart: 2, changelogEnd: 40 })
  // What awaits a publish may have replaced as much.
  expect(heldIn(stated)).toEqual({ entries: 3, bytes: 200 })
  const topics = { sourceId: id, changelogId: id }
  expect(marksIn(stated)).toEqual({ ...topics, sourceEpochs: '3@0,5@12', changelogEpoch: epoch })
  // Nothing is stated of what is not committed.
  expect(marksIn(await metadata.of(0, 12)).sourceEpochs).toBe('3@0')
})

test('a commit states when the changelog has lost records last, if it has', async () => {
  const { metadata, stats } = setup()
  expect(marksIn(await metadata.of(0, 20)).changelogFellAt).toBeUndefined()
  stats.set('changelogFellAt', 1_700_000_000_000)
  expect(marksIn(await metadata.of(0, 20)).changelogFellAt).toBe(1_700_000_000_000)
})

test('a commit states no epoch of a changelog whose leader has less than was written', async () => {
  const { metadata, held } = setup()
  held.endOffset = 39
  expect(marksIn(await metadata.of(0, 20)).changelogEpoch).toBeUndefined()
  expect(metadata.confirmed(0)).toBeUndefined()
})

test('a commit states the epoch of another end only when that was confirmed', async () => {
  const { metadata, held } = setup()
  await metadata.of(0, 20)
  expect(metadata.confirmed(0)).toEqual({ end: 40, epoch })
  await metadata.of(0, 20)
  expect(held.asked).toBe(1)
  held.written = 50
  expect(marksIn(await metadata.of(0, 30)).changelogEpoch).toBeUndefined()
  expect(metadata.confirmed(0)).toEqual({ end: 40, epoch })
  held.endOffset = 50
  expect(marksIn(await metadata.of(0, 30)).changelogEpoch).toBe(epoch)
  expect(metadata.confirmed(0)).toEqual({ end: 50, epoch })
})
