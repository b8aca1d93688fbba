import { expect, test } from 'bun:test'
import { Stats } from '../../../lib/store-protocol/stats.ts'
import type { StoreConfig } from '../../../lib/store-protocol/store-config.ts'
import { BatchPool } from '../../../lib/store-thread/ingest/changelog-batch.ts'
import type { Fault } from '../../../lib/store-thread/ingest/dead-letter-headers.ts'
import { badRecordOf, type DeadLetterContext, deadLettersOf } from '../../../lib/store-thread/ingest/dead-letters.ts'
import { PartitionIngest } from '../../../lib/store-thread/ingest/partition-ingest.ts'
import { PartitionTable } from '../../../lib/store-thread/ingest/partition-table.ts'
import type { Clients } from '../../../lib/topics/clients.ts'
import { FakeClient } from '../../support/kafka/fakes/fake-client.ts'
import { bodyOf, produceResponse } from '../../support/kafka/fakes/responses.ts'
import { until } from '../../support/until.ts'

const fault: Fault = { topic: 'orders', partition: 0, offset: 7, reason: 'skippedNullKey', message: 'it has no key' }

function setup() {
  const client = new FakeClient({ 0: 1 })
  const stats = new Stats([0])
  const released: number[] = []
  const partitions = new PartitionTable()
  const state = new PartitionIngest(0, 0, new BatchPool(1 << 20, 4))
  partitions.add(state)
  let bytes = 0
  let wakes = 0
  const context = {
    clients: { deadLetters: client.client } as Clients,
    config: {
      storeId: 'orders',
      // What the leader alone has acknowledged may be lost with it: enough for the changelog, as its user says, not for a letter.
      clients: { producer: { produce: { acks: 1, timeoutMs: 30_000 } } },
    } as unknown as StoreConfig,
    stats,
    topology: { deadLetters: { name: 'bad', partitions: 1, maxMessageBytes: 1000 } },
    partitions,
    accounting: {
      account: () => void (bytes += state.takeBytesChange()),
      progressed: ({ partition }: PartitionIngest) => void released.push(partition),
    },
    producer: { wake: () => wakes++ },
  } as unknown as DeadLetterContext
  const deadLetters = deadLettersOf(context)!
  deadLetters.add(0)
  const running = deadLetters.run()
  running.catch(() => {})
  return { client, deadLetters, partitions, state, released, stats, waiting: () => bytes, wakes: () => wakes }
}

test('a partition gives no batch and acknowledges nothing before its last dead letter is acknowledged', async () => {
  const { client, deadLetters, state, released, stats, waiting, wakes } = setup()
  state.consumeTo(8)
  for (let i = 0; i < 2; i++) {
    deadLetters.append(state, badRecordOf(Buffer.alloc(100)), fault)
    deadLetters.send(state)
  }
  expect(state).toMatchObject({ deadLetters: { count: 2 }, isIdle: false })
  expect(waiting()).toBe(state.deadLetters.bytes)
  for (const left of [1, 0]) {
    state.advance()
    expect(state.acknowledged).toBe(0)
    expect([released, wakes()]).toEqual([[], 0])
    const exchange = await client.next()
    expect(bodyOf(exchange.request).readInt16BE(2)).toBe(-1) // acks, after no transactional id
    exchange.answer(produceResponse('bad', [{ partition: 0, baseOffset: 5 - left }]))
    await until('it is acknowledged', () => state.deadLetters.count === left)
  }
  expect([released, wakes()]).toEqual([[0], 1])
  expect(state).toMatchObject({ acknowledged: 8, isIdle: true, deadLetters: { bytes: 0 } })
  expect(waiting()).toBe(0)
  expect(stats.count('deadLetters')).toBe(2)
  deadLetters.stop()
})

test.each([
  ['its timestamp', 32, true],
  ['the record', 87, false],
  ['its size', 10, false],
  ['the size of its batch', 18, false],
])('a dead letter keeps its value only when the topic refuses %s: error %d', async (_, errorCode, isKept) => {
  const { client, deadLetters, state } = setup()
  deadLetters.append(state, badRecordOf(Buffer.from('the value')), fault)
  deadLetters.send(state)
  const refused = await client.next()
  expect(bodyOf(refused.request).includes('the value')).toBe(true)
  refused.answer(produceResponse('bad', [{ partition: 0, errorCode }]))
  expect(bodyOf((await client.next()).request).includes('the value')).toBe(isKept)
  deadLetters.stop()
})

test('the last letter of a partition that is lost changes nothing of its accounts', async () => {
  const { client, deadLetters, partitions, state, released, waiting, wakes } = setup()
  state.consumeTo(8)
  deadLetters.append(state, badRecordOf(Buffer.alloc(100)), fault)
  deadLetters.send(state)
  const before = waiting()
  partitions.remove(0)
  ;(await client.next()).answer(produceResponse('bad', [{ partition: 0, baseOffset: 0 }]))
  await until('it is acknowledged', () => state.deadLetters.count === 0)
  expect([waiting(), released, wakes(), state.acknowledged]).toEqual([before, [], 0, 0])
  deadLetters.stop()
})
