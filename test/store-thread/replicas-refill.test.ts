/** A replica whose changelog does not have any more what it read, over brokers that are the test. */
import { afterEach, expect, test } from 'bun:test'
import { partitionStateOf } from '../../lib/store-protocol/partition-state.ts'
import { Stats } from '../../lib/store-protocol/stats.ts'
import { Changes } from '../../lib/store-thread/changes/changes.ts'
import { Replicas } from '../../lib/store-thread/replicas.ts'
import type { StoreContext } from '../../lib/store-thread/store-context.ts'
import type { Clients } from '../../lib/topics/clients.ts'
import { FakeClient } from '../support/kafka/fakes/fake-client.ts'
import { fetchPositions, fetchResponse } from '../support/kafka/fakes/responses.ts'
import { rawBatch, rawRecord } from '../support/kafka/record-batch/raw-batch.ts'
import { createFixture } from '../support/map/map-pair.ts'
import { memoryStandIn } from '../support/store-thread/stand-ins.ts'
import { FakeChangelog } from '../support/store/fake-changelog.ts'
import { soon, until } from '../support/until.ts'

const offsetOutOfRange = 1

const open: { stop: () => void }[] = []
afterEach(() => {
  for (const one of open.splice(0)) one.stop()
})

function start() {
  const fake = new FakeClient({ 0: 1 })
  fake.offsets.set(0, { earliest: 0, latest: 2 })
  const { map, text } = createFixture()
  const stats = new Stats([0])
  let held: Promise<void> | undefined
  const flusher = {
    room: () => undefined,
    wrote: () => {},
    progressed: () => {},
    flush: async () => {
      await held
      await map.publish()
    },
  }
  const post = () => {}
  const changes = new Changes(stats, {
    bytes: 1 << 20,
    topicId: () => 'topic',
    log: new FakeChangelog(),
    post,
    flush: () => flusher.flush(),
    failed: post,
  })
  const { memory, hold: holdMemory } = memoryStandIn()
  const context = {
    config: { changelogTopic: 'changelog', keepHeaders: [] },
    clients: { replicas: fake.client } as Clients,
    roles: { primaries: [], replicas: [0], notices: [] },
    map,
    stats,
    flusher,
    changes,
    memory,
    failed: (error: unknown) => {
      throw error
    },
  } as unknown as StoreContext
  const replicas = new Replicas(context)
  const running = replicas.run()
  running.catch(() => {})
  open.push(replicas)
  /** Answers the next Fetch with one record for each value, from an offset on. */
  const fill = async (offset: number, ...values: string[]) => {
    const records = values.map((value, offsetDelta) => rawRecord({ offsetDelta, key: `k${offsetDelta}`, value }))
    const batch = rawBatch({ baseOffset: BigInt(offset), records })
    const end = offset + values.length
    const answer = { partition: 0, records: batch, lastStableOffset: end, highWatermark: end }
    ;(await fake.next()).answer(fetchResponse('changelog', [answer]))
  }
  /** The changelog begins and ends elsewhere now. */
  const recreate = async (earliest: number, latest: number) => {
    fake.offsets.set(0, { earliest, latest })
    ;(await fake.next()).answer(fetchResponse('changelog', [{ partition: 0, errorCode: offsetOutOfRange }]))
  }
  const hold = () => {
    const flush = Promise.withResolvers<void>()
    held = flush.promise
    return flush.resolve
  }
  return {
    replicas,
    state: () => partitionStateOf(stats, 0),
    fill,
    recreate,
    hold,
    holdMemory,
    fake,
    text,
    publish: () => map.publish(),
  }
}

test('a replica that has to fill again does not count as running before it has', async () => {
  const { replicas, state, fill, recreate, text, publish } = start()
  await fill(0, 'old', 'old')
  await soon('it is filled', replicas.filled)
  expect([state(), text('k1')]).toEqual(['running', 'old'])
  await recreate(50, 52)
  await until('it is noticed', () => state() !== 'running')
  expect(state()).toBe('recovering')
  await fill(50, 'new')
  // Nothing of it is in memory before it is filled, neither of the former changelog nor of the new one.
  expect([text('k0'), text('k1')]).toEqual([undefined, undefined])
  await new Promise(setImmediate)
  expect(state()).toBe('recovering')
  await fill(51, 'new')
  await until('it is filled again', () => state() === 'running')
  await publish()
  // Each of the two records is one of k0.
  expect([text('k0'), text('k1')]).toEqual(['new', undefined])
})

test('a replica that has to fill again before it was seen as filled does not count as running', async () => {
  const { replicas, state, fill, recreate, hold } = start()
  const flushed = hold()
  await fill(0, 'old', 'old')
  let isFilled = false
  void replicas.filled.then(() => (isFilled = true))
  await recreate(50, 52)
  await until('it is noticed', () => state() === 'recovering')
  flushed()
  await new Promise(setImmediate)
  expect([state(), isFilled]).toEqual(['recovering', false])
  await fill(50, 'new', 'new')
  await soon('it is filled', replicas.filled)
  expect(state()).toBe('running')
})

test('a replica reads nothing while memory is full, and continues where it was', async () => {
  const { replicas, state, fill, holdMemory, fake, text, publish } = start()
  await fill(0, 'old', 'old')
  await soon('it is filled', replicas.filled)
  holdMemory()
  // The Fetch that was sent before is answered, and its record is not taken.
  await fill(2, 'not taken')
  for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate)
  expect(fake.unseen).toBe(0)
  holdMemory(false)
  const next = await fake.next()
  expect(fetchPositions(next.request)).toMatchObject([{ partition: 0, offset: 2 }])
  const records = rawBatch({ baseOffset: 2n, records: [rawRecord({ key: 'k0', value: 'new' })] })
  next.answer(fetchResponse('changelog', [{ partition: 0, records, lastStableOffset: 3, highWatermark: 3 }]))
  await fake.next()
  await publish()
  expect([state(), text('k0')]).toEqual(['running', 'new'])
})
