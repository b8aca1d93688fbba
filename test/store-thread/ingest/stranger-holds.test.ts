/** The first key that the partitioner puts elsewhere is written once the group knows that there is one. */
import { afterEach, expect, test } from 'bun:test'
import { Stats } from '../../../lib/store-protocol/stats.ts'
import type { StoreConfig } from '../../../lib/store-protocol/store-config.ts'
import { BatchPool } from '../../../lib/store-thread/ingest/changelog-batch.ts'
import type { IngestContext } from '../../../lib/store-thread/ingest/ingest-context.ts'
import { PartitionIngest } from '../../../lib/store-thread/ingest/partition-ingest.ts'
import { PartitionTable } from '../../../lib/store-thread/ingest/partition-table.ts'
import { StrangerHolds } from '../../../lib/store-thread/ingest/stranger-holds.ts'
import { strangersOf } from '../../../lib/store-thread/strangers.ts'
import { keyIn } from '../../support/routing/fake-copies.ts'
import { captureLog } from '../../support/store-thread/stand-ins.ts'
import { until } from '../../support/until.ts'

const longMs = 60_000
const ends: (() => void)[] = []
afterEach(() => {
  for (const end of ends.splice(0)) end()
})

function start(times: { supersededMs?: number; waitMsMax?: number }, elastic: StoreConfig['elastic'] = inGroup) {
  const config = { elastic, partitioner: 'murmur2' } as StoreConfig
  const strangers = strangersOf(config, new Stats([0, 1, 2, 3]), 4)!
  let wakes = 0
  const partitions = new PartitionTable()
  const context = { config, strangers, partitions, producer: { wake: () => wakes++ } } as unknown as IngestContext
  const holds = StrangerHolds.of(context, { supersededMs: 0, waitMsMax: longMs, ...times })
  ends.push(() => holds?.stop())
  const state = new PartitionIngest(0, 0, new BatchPool(1000, 4), false, undefined, holds?.of(0))
  partitions.add(state)
  const append = (key: string) => {
    state.strangerHold?.meets(Buffer.from(key), 0, key.length)
    state.queue.append(Buffer.from(key), 0, key.length, 0, 0, 1, 0, 1)
  }
  const taken = () => state.takeBatch() !== undefined
  return { strangers, partitions, append, taken, wakes: () => wakes }
}

const inGroup = { notice: new SharedArrayBuffer(64) }

test('a partition writes nothing from its first key of another partition on, until a plan knows of it', async () => {
  const { strangers, append, taken, wakes } = start({})
  append(keyIn(0))
  expect(taken()).toBe(true)
  append(keyIn(1))
  append(keyIn(0))
  expect(taken()).toBe(false)
  strangers.known({ partitions: [2], isAlone: false })
  await new Promise(setImmediate)
  expect([taken(), wakes()]).toEqual([false, 0])
  strangers.known({ partitions: [0, 2], isAlone: false })
  await until('it to be written', () => wakes() === 1)
  expect(taken()).toBe(true)
  append(keyIn(2))
  expect(taken()).toBe(true)
})

test('what others may not have got yet is waited for, unless there are no others', async () => {
  const { strangers, append, taken, wakes } = start({ supersededMs: longMs })
  append(keyIn(1))
  strangers.known({ partitions: [0], isAlone: false })
  await new Promise(setImmediate)
  expect(wakes()).toBe(0)
  strangers.known({ partitions: [0], isAlone: true })
  await until('it to be written', () => wakes() === 1)
  expect(taken()).toBe(true)
})

test('writing does not depend on the group for long', async () => {
  const lines = captureLog()
  const { append, taken, wakes } = start({ waitMsMax: 1 })
  append(keyIn(1))
  await until('it to be written', () => wakes() === 1)
  expect(taken()).toBe(true)
  expect(lines.at(-1)).toContain('Partition 0: after 0.001 s the group has no plan that knows of its keys')
})

test('a partition that was lost meanwhile is not spoken of', async () => {
  const { append, partitions, wakes } = start({ waitMsMax: 1 })
  const lines = captureLog()
  append(keyIn(1))
  partitions.remove(0)
  // Timers of less time have run by then.
  await Bun.sleep(2)
  expect([wakes(), lines.length]).toEqual([0, 1])
})

test('a partition of which the group knows waits for nothing, nor does one without a group', () => {
  const { append, taken } = start({}, {})
  append(keyIn(1))
  expect(taken()).toBe(true)
  const known = start({})
  known.strangers.met(0)
  known.append(keyIn(1))
  expect(known.taken()).toBe(true)
})

test('the first record of a partition that was added waits until a plan knows of the partition', async () => {
  const { strangers, append, taken, wakes } = start({}, { ...inGroup, from: 1 })
  append(keyIn(0))
  expect(taken()).toBe(false)
  strangers.known({ partitions: [0], isAlone: false })
  await until('it to be written', () => wakes() === 1)
  append(keyIn(0))
  expect(taken()).toBe(true)
})

test('nothing waits in a partition that was added if the plan knows of it before', () => {
  const { strangers, append, taken } = start({}, { ...inGroup, from: 1 })
  strangers.known({ partitions: [0], isAlone: false })
  append(keyIn(0))
  expect(taken()).toBe(true)
})
