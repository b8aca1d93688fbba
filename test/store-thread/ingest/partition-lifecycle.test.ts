import { afterEach, expect, test } from 'bun:test'
import { LatchkeyError } from '../../../lib/errors.ts'
import { EpochTrail } from '../../../lib/kafka/epoch-trail.ts'
import { partitionStateOf } from '../../../lib/store-protocol/partition-state.ts'
import { Stats } from '../../../lib/store-protocol/stats.ts'
import type { StoreConfig } from '../../../lib/store-protocol/store-config.ts'
import type { FromThread } from '../../../lib/store-protocol/thread-messages.ts'
import { CatchUp } from '../../../lib/store-thread/ingest/catch-up.ts'
import { PartitionLifecycle } from '../../../lib/store-thread/ingest/partition-lifecycle.ts'
import type { PartitionOwnership } from '../../../lib/store-thread/ingest/partition-ownership.ts'
import type { StoreContext } from '../../../lib/store-thread/store-context.ts'
import type { Clients } from '../../../lib/topics/clients.ts'
import { FakeClient } from '../../support/kafka/fakes/fake-client.ts'
import { captureLog } from '../../support/store-thread/stand-ins.ts'

const open: FakeClient[] = []
afterEach(() => {
  for (const one of open.splice(0)) one.close()
})

const fenced = new LatchkeyError('fenced', 'Another instance has the partition')

interface Setup {
  /** Partitions whose source ends at offset 10, that are rebuilt. */
  rebuilt?: readonly number[]
  /** Whether the changelog of the partition has lost records. */
  hasLost?: boolean
  /** Partitions that are lost before anything is visible. */
  lostBefore?: readonly number[]
}

/** Two partitions that begin at offset 0. */
function setup({ rebuilt = [], hasLost = false, lostBefore = [] }: Setup = {}) {
  const client = new FakeClient({ 0: 1, 1: 1 })
  open.push(client)
  const primaries = [0, 1]
  const stats = new Stats(primaries)
  const posted: FromThread[] = []
  const flushes: PromiseWithResolvers<void>[] = []
  const renewed: [partition: number, end: number][] = []
  const context = {
    config: { storeId: 'orders', sourceTopic: 'source', changelogTopic: 'changelog' } as StoreConfig,
    clients: { consumer: client.client } as Clients,
    roles: { primaries, replicas: [], notices: [] },
    stats,
    flusher: {
      flush: () => {
        const flush = Promise.withResolvers<void>()
        flushes.push(flush)
        return flush.promise
      },
    },
    post: (message: FromThread) => void posted.push(message),
    failed: (error: unknown) => {
      throw error
    },
  } as unknown as StoreContext
  const ownership = {
    renew: async (partition: number, end: number) => {
      renewed.push([partition, end])
      return { producerId: 7, producerEpoch: 2 }
    },
  } as unknown as PartitionOwnership
  const events = new PartitionLifecycle(context, ownership, () => {})
  events.repairBy({ beginsInstead: async () => hasLost, landedBelow() {} }, { found() {} })
  const resumptions = primaries.map((partition) => {
    const rest = { discard: false, lost: 0, reason: '', epochs: new EpochTrail() }
    return [partition, { position: 0, sourceEnd: 10, rebuild: rebuilt.includes(partition), ...rest }] as const
  })
  for (const partition of lostBefore) events.lost(partition, fenced)
  events.begin(new CatchUp(stats, new Map(resumptions)))
  /** Every flush that was asked for is done. */
  const flushed = async () => {
    for (const { resolve } of flushes.splice(0)) resolve()
    await new Promise(setImmediate)
  }
  const types = () => posted.map((message) => (message.type === 'state' ? message.state : message.type))
  return { client, events, stats, renewed, flushed, types, posted }
}

test('a store has caught up when the last partition has reached its end and published it', async () => {
  const { events, flushed, types } = setup()
  events.progressed(0, 10)
  events.progressed(1, 9)
  await flushed()
  events.progressed(1, 10)
  await new Promise(setImmediate)
  expect(types()).toEqual(['running'])
  await flushed()
  events.progressed(1, 11)
  await flushed()
  expect(types()).toEqual(['running', 'caught-up'])
})

test('a store answers when the last rebuilt partition has reached its end and published it', async () => {
  const { events, stats, flushed, types } = setup({ rebuilt: [1] })
  const states = () => [0, 1].map((partition) => partitionStateOf(stats, partition))
  expect([states(), types()]).toEqual([['running', 'rebuilding'], []])
  events.progressed(1, 10)
  await new Promise(setImmediate)
  expect(types()).toEqual([])
  await flushed()
  expect([states(), types()]).toEqual([['running', 'running'], ['running']])
})

test('a store answers for the others when the rebuilt partition is lost, which is reported as incomplete', async () => {
  const { events, stats, flushed, types } = setup({ rebuilt: [1] })
  events.progressed(0, 10)
  await flushed()
  expect(types()).toEqual([])
  events.lost(1, fenced)
  await flushed()
  expect(types()).toEqual(['fenced', 'running', 'caught-up'])
  expect(partitionStateOf(stats, 1)).toBe('rebuilding')
})

test.each([
  ['complete', [], 'fenced'],
  ['to be rebuilt', [1], 'rebuilding'],
] as const)('a store does not wait for a partition that is lost at start, %s', async (_, rebuilt, state) => {
  const { events, stats, flushed, types } = setup({ rebuilt, lostBefore: [1] })
  expect(partitionStateOf(stats, 1)).toBe(state)
  events.progressed(0, 10)
  await flushed()
  expect(types()).toEqual(['fenced', 'running', 'caught-up'])
})

test('a store that has lost all its partitions at start waits for nothing', () => {
  expect(setup({ lostBefore: [0, 1] }).types()).toEqual(['fenced', 'fenced', 'running', 'caught-up'])
})

test('a store has caught up when the only partition that had not is lost', async () => {
  const { events, flushed, types } = setup()
  events.progressed(0, 10)
  await flushed()
  events.lost(1, fenced)
  await flushed()
  expect(types()).toEqual(['running', 'fenced', 'caught-up'])
})

test('a partition is taken again from the last end of our own, unless its changelog has lost records', async () => {
  const sound = setup()
  expect(await sound.events.renew(0, 42)).toEqual({ producerId: 7, producerEpoch: 2 })
  expect(sound.renewed).toEqual([[0, 42]])
  const damaged = setup({ hasLost: true })
  expect(await damaged.events.renew(0, 42)).toBeUndefined()
  expect(damaged.renewed).toEqual([])
})

test('records that the source has removed are skipped, and a source that ends before the position ends the store', async () => {
  const { client, events } = setup()
  client.offsets.set(0, { earliest: 20, latest: 30 })
  expect(await events.outOfRange(0, 5)).toBe(20)
  expect(await events.outOfRange(0, 31).catch((error: unknown) => error)).toMatchObject({
    code: 'store_failed',
    message: expect.stringContaining('offset 31 is past its end'),
  })
})

test('the reason of a halted partition has what is known without its record, and the log has all', () => {
  const lines = captureLog()
  const { events, posted } = setup()
  posted.length = 0
  events.halted(0, { offset: 7, fault: 'convert failed: unexpected 4929', what: 'convert failed' })
  events.halted(1, { offset: 8, fault: 'it has no key', what: 'it has no key' })
  const advice = 'correct the module or the format and restart, or set ON_BAD_RECORD=skip'
  expect(posted).toEqual([
    {
      type: 'halted',
      partition: 0,
      reason: `source partition 0: halted at offset 7, convert failed (see the log); ${advice}`,
    },
    { type: 'halted', partition: 1, reason: `source partition 1: halted at offset 8, it has no key; ${advice}` },
  ])
  expect(lines.join('\n')).toContain('halted at offset 7, convert failed: unexpected 4929; correct')
})
