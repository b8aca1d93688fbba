import { expect, test } from 'bun:test'
import { Stats } from '../../../lib/contract/stats.ts'
import { keptReadersMax } from '../../../lib/store/handle/kept-reader.ts'
import { Shard } from '../../../lib/store/handle/shard.ts'
import { type FromThread, type ToThread } from '../../../lib/store/messages.ts'
import { type StorePortEvents } from '../../../lib/store/store-port.ts'
import { type StoreConfig } from '../../../lib/contract/store-config.ts'
import { createFixture } from '../../map/helper.ts'

/** A shard whose store thread is the test. */
function start() {
  const posted: ToThread[] = []
  let thread: StorePortEvents | undefined
  const access = {
    readerThread: 0,
    open(_: unknown, __: unknown, events: StorePortEvents) {
      thread = events
      return { post: (message: ToThread) => void posted.push(message), terminate: () => {} }
    },
  }
  const events = { opened: () => {}, state: () => {}, caughtUp: () => {}, grown: () => {} }
  const config = { storeId: 'store', readerPoolSize: 1 } as StoreConfig
  const shard = new Shard(config, { level: 'error', structured: false }, events, access)
  const receive = (message: FromThread) => thread!.received(message)
  return { shard, receive, ended: (message?: string) => thread!.ended(message), posted }
}

const ends: [how: string, end: (thread: ReturnType<typeof start>) => void, code: string][] = [
  ['closes', ({ receive }) => receive({ type: 'closed' }), 'stopping'],
  [
    'fails',
    ({ receive }) => receive({ type: 'failed', error: { code: 'store_failed', message: 'no' } }),
    'store_failed',
  ],
  ['dies', ({ ended }) => ended('out of memory'), 'internal'],
]

test.each(ends)('a flush that waits ends when the store %s', async (_, end, code) => {
  const thread = start()
  const flush = thread.shard.flush().catch((error: unknown) => error)
  expect(thread.posted.map(({ type }) => type)).toContain('flush')
  end(thread)
  expect(await flush).toMatchObject({ code })
})

test('a flush ends with what the thread answers to it', async () => {
  const { shard, receive } = start()
  const flushes = [shard.flush(), shard.flush().catch((error: unknown) => error)]
  receive({ type: 'flush-failed', id: 2, error: { code: 'recovering', message: 'not yet' } })
  receive({ type: 'flushed', id: 1, operations: 5 })
  expect(await Promise.all(flushes)).toMatchObject([5, { code: 'recovering' }])
})

test('readers that are lent can be had again once they are closed', () => {
  const { shard, receive } = start()
  const { map } = createFixture({ readersMax: 1 + keptReadersMax })
  const held = { primaries: [0], replicas: [], partitionCount: 1, recordBytesMax: 1_000 }
  receive({ type: 'opened', ...held, stats: new Stats([0]).buffer, map: map.shared })
  for (let count = 0; count < 2 * keptReadersMax; count++) shard.lend().close()
  const lent = Array.from({ length: keptReadersMax }, () => shard.lend())
  expect(() => shard.lend()).toThrow(`all ${keptReadersMax} that can be kept are`)
  lent[7]!.close()
  shard.lend()
})
