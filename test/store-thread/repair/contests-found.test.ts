/** Which records of other writers are found, over a changelog that is the test. */
import { expect, test } from 'bun:test'
import type { KafkaClient } from '../../../lib/kafka/client.ts'
import type { RawRequest } from '../../../lib/kafka/connection/raw-request.ts'
import type { ProducerIdentity } from '../../../lib/kafka/transactional-id.ts'
import { Stats } from '../../../lib/store-protocol/stats.ts'
import type { Ingest } from '../../../lib/store-thread/ingest/ingest.ts'
import type { PartitionOwnership } from '../../../lib/store-thread/ingest/partition-ownership.ts'
import { Contests } from '../../../lib/store-thread/repair/contests.ts'
import type { StoreContext } from '../../../lib/store-thread/store-context.ts'
import type { Clients } from '../../../lib/topics/clients.ts'
import { fetchPositions, fetchResponse } from '../../support/kafka/fakes/responses.ts'
import { unheldBatch } from '../../support/kafka/record-batch/oversized-batches.ts'
import { headerOf, rawBatch, rawRecord } from '../../support/kafka/record-batch/raw-batch.ts'
import { createFixture } from '../../support/map/map-pair.ts'
import { until } from '../../support/until.ts'

const own = 7n
const other = 8n

/** A store that has read its source up to offset 3: a = new (2), b was deleted (3). */
async function setup({ fencing = true } = {}) {
  const { map, put, openAll } = createFixture()
  put(0, 'a', 'new', 2)
  await openAll()
  const batches: Buffer[] = []
  const write = (producerId: bigint, key: string, value: string | null, src?: number) => {
    const header: [string, Buffer][] = src === undefined ? [] : [['src', headerOf(src)]]
    const records = [rawRecord({ key, value, headers: header })]
    batches.push(rawBatch({ producerId, producerEpoch: 1, records, baseOffset: BigInt(batches.length) }))
  }
  const client = {
    requestTimeoutMs: 1_000,
    leaders: async () => new Map([[1, [0]]]),
    leader: () => 1,
    retryForever: <T>(operation: () => Promise<T>) => operation(),
    call: async () => ({
      responses: [{ partitions: [{ partition: 0, errorCode: 0, offset: String(batches.length) }] }],
    }),
    send: async (_: number, request: RawRequest) => {
      const records = Buffer.concat(batches.slice(fetchPositions(request)[0]!.offset))
      return fetchResponse('changelog', [{ partition: 0, lastStableOffset: batches.length, records }])
    },
  } as unknown as KafkaClient
  const written: string[] = []
  const amendment = {
    append: async (key: Uint8Array, after: number) =>
      void written.push(`${Buffer.from(key).toString()} after ${after}`),
  }
  const found = { renewals: 0, amendments: 0, renewed: () => {} }
  const ingest = {
    acknowledged: () => 4,
    changelogEnd: () => batches.length,
    amend: async (_: number, amend: (target: typeof amendment) => Promise<void>) => {
      await amend(amendment)
      found.amendments++
    },
    repairs: {
      renewed: async () => {
        found.renewals++
        found.renewed()
      },
    },
  } as unknown as Ingest
  const ownership = {
    isOwn: () => (one: ProducerIdentity) => one.producerId === Number(own),
  } as unknown as PartitionOwnership
  const stats = new Stats([0])
  const context = {
    config: { changelogTopic: 'changelog', fencing, keepHeaders: [] },
    clients: { changelog: client } as Clients,
    map,
    stats,
    post: () => {},
    failed: (error: unknown) => {
      throw error
    },
  } as unknown as StoreContext
  const contests = new Contests(context, ownership, ingest)
  /** Has what was written since the offset looked at. @returns what is written again */
  const look = async (from: number): Promise<string[]> => {
    const before = found.amendments
    contests.found(0, { from, to: batches.length })
    await until('it was looked at', () => found.amendments > before)
    await new Promise(setImmediate)
    return written.splice(0).toSorted()
  }
  const writeUnheld = (key: string) =>
    void batches.push(unheldBatch(batches.length, key, { producerId: other, producerEpoch: 1 }))
  return { contests, write, writeUnheld, look, found, written, stats }
}

test.each([true, false])(
  'values replaced with older ones are written again, and only those: fencing %p',
  async (fencing) => {
    const { write, look, found, stats } = await setup({ fencing })
    write(own, 'a', 'new', 2)
    write(other, 'a', 'old', 0)
    write(other, 'b', 'old', 1)
    write(other, 'c', 'foreign')
    // Without fencing another store may be ahead, and we write it ourselves when the source is there.
    write(other, 'd', 'ahead', 4)
    expect(await look(1)).toEqual(['a after 3', 'b after 3', 'c after 3', ...(fencing ? ['d after 3'] : [])])
    expect(found.renewals).toBe(fencing ? 1 : 0)
    expect(stats.count('foreignWrites')).toBe(1)
  },
)

test('equal values, and values followed by one of ours, are not written again', async () => {
  const { write, look } = await setup()
  write(other, 'a', 'old', 0)
  write(own, 'a', 'new', 2)
  write(other, 'b', null, 3)
  expect(await look(0)).toEqual([])
})

test('writes until the partition is taken again are checked, too', async () => {
  const { write, look, found } = await setup()
  write(other, 'b', 'old', 1)
  found.renewed = () => write(other, 'a', 'old', 0)
  expect(await look(0)).toEqual(['a after 3', 'b after 3'])
})

test('findings of a start are written again, after everything read', async () => {
  const { contests, written } = await setup()
  contests.foundAtStart(0, [])
  contests.foundAtStart(0, [Buffer.from('a'), Buffer.from('b')])
  await until('it is written', () => written.length === 2)
  expect(written).toEqual(['a after 3', 'b after 3'])
})

test('a value replaced by a record beyond every limit is written again, or deleted', async () => {
  const { writeUnheld, look, stats } = await setup()
  writeUnheld('a')
  writeUnheld('b')
  expect(await look(0)).toEqual(['a after 3', 'b after 3'])
  expect(stats.count('foreignWrites')).toBe(1)
})
