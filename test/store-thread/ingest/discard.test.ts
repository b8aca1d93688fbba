/** What is noted and written before a partition is built again from its source. */
import { afterEach, expect, test } from 'bun:test'
import { LatchkeyError } from '../../../lib/errors.ts'
import type { KafkaClient } from '../../../lib/kafka/client.ts'
import type { StoreConfig } from '../../../lib/store-protocol/store-config.ts'
import { discardFormer, noteRebuild } from '../../../lib/store-thread/ingest/discard.ts'
import type { Recovered } from '../../../lib/store-thread/recovery/recovery.ts'
import type { Resume } from '../../../lib/store-thread/recovery/resume-decision.ts'
import { producedBatches, produceResponse } from '../../support/kafka/fakes/responses.ts'
import { recordsOf } from '../../support/kafka/record-batch/written-records.ts'
import { acknowledge, feed, ingesting } from '../../support/store-thread/ingest-setup.ts'
import { soon } from '../../support/until.ts'

const config = { storeId: 'orders', sourceTopic: 'source' } as StoreConfig

function resume(position: number, discard: boolean): Resume {
  return { position, rebuild: discard, discard, lost: 0, reason: 'the test' }
}

const open: { stop: () => void }[] = []
afterEach(() => {
  for (const one of open.splice(0)) one.stop()
})

test('a rebuild is noted with the committed offset, or the position, and only for the discarded partitions', async () => {
  const commits: unknown[] = []
  const client = {
    retryForever: <T>(operation: () => Promise<T>) => operation(),
    coordinator: async () => 1,
    call: async (_: number, api: string, __: number, args: { topics: { topic: string; partitions: object[] }[] }) => {
      const [{ topic, partitions }] = args.topics as [{ topic: string; partitions: { partition: number }[] }]
      commits.push([api, topic, partitions])
      return { responses: [{ topic, partitions: partitions.map((one) => ({ ...one, errorCode: 0 })) }] }
    },
  } as unknown as KafkaClient
  const committed = new Map([
    [0, { offset: 70, metadata: 'complete' }],
    [2, { offset: 80, metadata: 'complete' }],
  ])
  const resumes = new Map([resume(5, true), resume(6, true), resume(7, false)].entries())
  await noteRebuild(client, config, resumes, committed)
  const metadata = 'latchkey/1 rebuilding'
  const noted = [
    { partition: 0, offset: '70', metadata },
    { partition: 1, offset: '6', metadata },
  ]
  expect(commits).toEqual([['OffsetCommit', 'source', noted]])
  await noteRebuild(client, config, new Map([[2, resume(7, false)]]), committed)
  expect(commits).toHaveLength(1)
})

test('a discard is complete when the changelog has acknowledged a tombstone for each key, and for the last one read', async () => {
  const setup = ingesting(2)
  open.push(setup)
  const { ingest, source, changelog, flusher, map, stats, text } = setup
  ingest.follow(0)
  await feed(source, 0, 3)
  await acknowledge(changelog)
  await flusher.flush()
  const resumes = new Map([resume(0, true), resume(0, false)].entries())
  const recovered = new Map([[0, { last: { key: Buffer.from('last') } } as Recovered]])
  let isDone = false
  const discarding = discardFormer(map, stats, ingest, resumes, recovered).then(() => (isDone = true))
  const exchange = await changelog.next()
  const written = producedBatches(exchange.request)
  expect(written.map(({ partition }) => partition)).toEqual([0])
  const records = recordsOf(written[0]!.batch)
  expect(records[0]).toBe('last=null src=-2 aft=-1')
  expect(records.slice(1).toSorted()).toEqual([0, 1, 2].map((key) => `k${key}=null src=-2 aft=-1`))
  await new Promise(setImmediate)
  expect(isDone).toBe(false)
  exchange.answer(produceResponse('changelog', [{ partition: 0, baseOffset: -1 }]))
  await soon('the end of it', discarding)
  await flusher.flush()
  expect(text('k0')).toBeUndefined()
})

test('a discard stops when its partition is lost', async () => {
  const setup = ingesting(1)
  open.push(setup)
  const { ingest, source, changelog, flusher, map, stats, lost } = setup
  ingest.follow(0)
  await feed(source, 0, 3)
  await acknowledge(changelog)
  await flusher.flush()
  ingest.repairs.takenByOther(0, new LatchkeyError('fenced', 'Another instance has the partition'))
  const recovered = new Map([[0, { last: undefined } as Recovered]])
  await discardFormer(map, stats, ingest, new Map([[0, resume(0, true)]]), recovered)
  expect([lost, changelog.unseen]).toEqual([[0], 0])
})
