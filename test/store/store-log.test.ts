/** Debug lines of a store's handles. */
import { afterEach, expect, test } from 'bun:test'
import { configureLogging, type LogLevel } from '../../lib/log/index.ts'
import { Stats } from '../../lib/store-protocol/stats.ts'
import type { StoreConfig } from '../../lib/store-protocol/store-config.ts'
import type { FromThread } from '../../lib/store-protocol/thread-messages.ts'
import type { StorePortEvents } from '../../lib/store/store-port.ts'
import { StoreThreads } from '../../lib/store/store-threads.ts'
import { linesAt } from '../support/log/lines.ts'
import { createFixture } from '../support/map/map-pair.ts'

afterEach(() => configureLogging({ level: 'error', structured: false }))

/** What the handles log of a store that begins, runs, gets partitions, flushes and fails. */
async function linesOfStore(level: LogLevel): Promise<[category: string, message: string][]> {
  const lines = linesAt(level)
  const threads: StorePortEvents[] = []
  const access = {
    readerThread: 0,
    open(_: unknown, __: unknown, events: StorePortEvents) {
      threads.push(events)
      return { post: () => {}, terminate: () => {} }
    },
  }
  const config = {
    storeId: 'orders',
    readerPoolSize: 1,
    partitions: [],
    partitionsReplica: [],
  } as unknown as StoreConfig
  const events = { state: () => {}, caughtUp: () => {}, changed: () => {} }
  const store = new StoreThreads(config, { level, structured: false }, events, access)
  const open = (thread: number, primaries: number[], partitionCount: number) => {
    const { map } = createFixture()
    const stats = new Stats(primaries).buffer
    const assignment = { layout: primaries, primaries, replicas: [], partitionCount, recordBytesMax: 1_000 }
    threads[thread]!.received({ type: 'opened', ...assignment, stats, map: map.shared })
  }
  const receive = (thread: number, ...messages: FromThread[]) =>
    messages.forEach((one) => threads[thread]!.received(one))
  open(0, [0], 1)
  receive(0, { type: 'state', state: 'recovering' }, { type: 'state', state: 'running' })
  receive(0, { type: 'grown', partitionCount: 2 })
  open(1, [1], 2)
  receive(1, { type: 'state', state: 'recovering' })
  const flushes = [store.all[0]!.flush(), store.all[0]!.flush()]
  receive(0, { type: 'flushed', id: 1, operations: 5 })
  receive(0, { type: 'failed', error: { code: 'store_failed', message: 'no' } })
  await Promise.allSettled(flushes)
  return lines
    .filter(({ level: one }) => one !== 'warning')
    .map(({ category, message }) => [category, message.replace(/\d+ ms/, 'N ms')])
}

test('the life of a store has lines at debug: partitions, states, new partitions and flushes', async () => {
  const [store, flush] = ['latchkey.store', 'latchkey.flush']
  expect(await linesOfStore('debug')).toEqual([
    [store, 'Store orders: a thread holds primaries [0] and replicas [] of a topic with 1 in all'],
    [store, 'Store orders: thread of partitions [0]: state starting changed to recovering'],
    [store, 'Store orders: state starting changed to recovering'],
    [store, 'Store orders: thread of partitions [0]: state recovering changed to running'],
    [store, 'Store orders: state recovering changed to running'],
    [store, 'Store orders: a thread holds primaries [1] and replicas [] of a topic with 2 in all'],
    [store, 'Store orders: thread of partitions [1]: state starting changed to recovering'],
    [store, 'Store orders: thread of partitions [0]: state running changed to failed'],
    [store, 'Store orders: state running changed to failed'],
    [flush, 'Flushed store orders in N ms, 5 operations became visible'],
    [flush, 'Flushing store orders failed after N ms: no'],
  ])
})

test('the life of a store has no lines at info', async () => {
  expect(await linesOfStore('info')).toEqual([])
})
