/** A source that has changed under a running store: what is noted, deleted and read again, in which order. */
import { expect, test } from 'bun:test'
import { EpochTrail } from '../../../lib/kafka/epoch-trail.ts'
import { Stats } from '../../../lib/store-protocol/stats.ts'
import { CatchUp } from '../../../lib/store-thread/ingest/catch-up.ts'
import { BatchPool } from '../../../lib/store-thread/ingest/changelog-batch.ts'
import type { Ingest } from '../../../lib/store-thread/ingest/ingest.ts'
import { PartitionIngest } from '../../../lib/store-thread/ingest/partition-ingest.ts'
import type { PartitionLifecycle } from '../../../lib/store-thread/ingest/partition-lifecycle.ts'
import { Rereads } from '../../../lib/store-thread/reread/rereads.ts'
import type { StoreContext } from '../../../lib/store-thread/store-context.ts'
import type { Clients } from '../../../lib/topics/clients.ts'
import { FakeClient } from '../../support/kafka/fakes/fake-client.ts'
import { createFixture } from '../../support/map/map-pair.ts'
import { until } from '../../support/until.ts'

const epochs = '1@0,4@6'

/** A store that has read its source up to offset 9: a (3), b (6), c (8). The source begins at 2 and ends at 20. */
async function setup(more: Partial<StoreContext> = {}) {
  const fake = new FakeClient({ 0: 1 })
  fake.offsets.set(0, { earliest: 2, latest: 20 })
  const client = Object.assign(fake, { metadata: async () => [{ errorCode: 0, partitions: [{}] }] }).client
  const { map, put, openAll } = createFixture()
  for (const [key, offset] of [['a', 3] as const, ['b', 6] as const, ['c', 8] as const]) put(0, key, 'value', offset)
  await openAll()
  const events: string[] = []
  const state = new PartitionIngest(0, 9, new BatchPool(1 << 20, 4), false, EpochTrail.from(epochs))
  const amendment = {
    isOver: false,
    discard: async (key: Uint8Array) => void events.push(`deleted ${Buffer.from(key).toString()}`),
  }
  const ingest = {
    partition: () => state,
    follow: (_: number, isFollowed = true) => void events.push(isFollowed ? 'read' : 'not read'),
    amend: async (_: number, amend: (target: typeof amendment) => Promise<void>) => {
      await amend(amendment)
    },
    repairs: { rewind: (_: number, position: number) => void events.push(`rewound to ${position}`) },
  } as unknown as Ingest
  const stats = new Stats([0])
  const rest = { rebuild: false, discard: false, lost: 0, reason: '' }
  const catchUp = new CatchUp(stats, new Map([[0, { position: 9, sourceEnd: 9, epochs: state.epochs, ...rest }]]))
  catchUp.progressed(0, 9)
  const context = {
    config: { sourceTopic: 'source', changelogTopic: 'changelog' },
    clients: { consumer: client } as Clients,
    topology: { partitionCount: 1 },
    map,
    stats,
    flusher: { flush: async () => void events.push('flushed') },
    post: ({ type }: { type: string }) => void events.push(type),
    failed: (error: unknown) => {
      throw error
    },
    ...more,
  } as unknown as StoreContext
  const rereads = new Rereads(context, ingest, { progressed: () => {} } as unknown as PartitionLifecycle, {
    noteRebuild: async (_, offset) => void events.push(`noted at ${offset}`),
    reread: () => void events.push('complete'),
  })
  rereads.begin(catchUp)
  /** Until it is read again. @returns what was done, deletions in order of keys */
  const seen = async (last = 'read') => {
    await until(`it comes to ${last}`, () => events.includes(last))
    const done = events.splice(0)
    const isDeletion = (event: string) => event.startsWith('deleted')
    const at = done.findIndex(isDeletion)
    return at < 0
      ? done
      : done.slice(0, at).concat(
          done.filter(isDeletion).toSorted(),
          done.slice(at).filter((event) => !isDeletion(event)),
        )
  }
  /** All that is to be read again has been. */
  const arrive = (acknowledged: number) => {
    if (catchUp.progressed(0, acknowledged)) catchUp.arrived(0)
  }
  return { rereads, state, catchUp, seen, arrive }
}

test('for a truncated source, keys from the truncation on are deleted and read again, after a note', async () => {
  const { rereads, state, catchUp, seen, arrive } = await setup()
  rereads.changed(0, { kind: 'truncated', at: 6 })
  const deletions = ['deleted b', 'deleted c']
  expect(await seen()).toEqual([
    'not read',
    'rebuilding',
    'noted at 6',
    'rewound to 2',
    ...deletions,
    'flushed',
    'read',
  ])
  expect(state.reread?.until).toBe(6)
  // What was read of the part that is lost counts no more.
  expect(state.epochs.textBefore(100)).toBe('1@0')
  expect([rereads.isChanging(0), catchUp.rebuilds(0)]).toEqual([true, true])
  arrive(5)
  expect(catchUp.rebuilds(0)).toBe(true)
  arrive(6)
  expect(await seen('rebuilt')).toEqual(['complete', 'rebuilt'])
  expect([state.reread, rereads.isChanging(0), catchUp.rebuilds(0)]).toEqual([undefined, false, false])
  // The next time is a first one.
  rereads.changed(0, { kind: 'truncated', at: 8 })
  expect((await seen()).filter((event) => event.startsWith('deleted'))).toEqual(['deleted c'])
})

test('for a recreated source, all keys are deleted, and it is read from its start to its end', async () => {
  const { rereads, state, catchUp, seen, arrive } = await setup()
  rereads.changed(0, { kind: 'recreated', id: 'now', former: 'before' })
  const deletions = ['deleted a', 'deleted b', 'deleted c']
  expect(await seen()).toEqual([
    'not read',
    'rebuilding',
    'noted at 2',
    'rewound to 2',
    ...deletions,
    'flushed',
    'read',
  ])
  expect([state.reread, state.epochs.textBefore(100)]).toEqual([undefined, ''])
  arrive(19)
  expect(catchUp.rebuilds(0)).toBe(true)
  arrive(20)
  expect(await seen('rebuilt')).toEqual(['complete', 'rebuilt'])
})

test('all keys are deleted when the source changes again before it was read again', async () => {
  const { rereads, state, seen } = await setup()
  rereads.changed(0, { kind: 'truncated', at: 6 })
  await seen()
  rereads.changed(0, { kind: 'truncated', at: 8 })
  const done = await seen()
  // The former pass has left keys away that are not read again by the later one.
  expect(done).toEqual(expect.arrayContaining(['noted at 2', 'deleted a', 'deleted b', 'deleted c']))
  expect(state.reread).toBeUndefined()
})

test('all keys of a truncated source are deleted when callbacks derive values from earlier ones', async () => {
  const definition = { onUpdate: () => undefined } as unknown as StoreContext['definition']
  const { rereads, state, catchUp, seen, arrive } = await setup({ definition })
  rereads.changed(0, { kind: 'truncated', at: 6 })
  expect(await seen()).toEqual(expect.arrayContaining(['noted at 2', 'deleted a', 'deleted b', 'deleted c']))
  expect(state.reread).toBeUndefined()
  arrive(6)
  expect(catchUp.rebuilds(0)).toBe(true)
  arrive(20)
  expect(await seen('rebuilt')).toEqual(['complete', 'rebuilt'])
})

test('the same change is processed once', async () => {
  const { rereads, seen, arrive } = await setup()
  rereads.changed(0, { kind: 'truncated', at: 6 })
  rereads.changed(0, { kind: 'truncated', at: 6 })
  await seen()
  rereads.changed(0, { kind: 'truncated', at: 6 })
  arrive(6)
  expect(await seen('rebuilt')).toEqual(['complete', 'rebuilt'])
})
