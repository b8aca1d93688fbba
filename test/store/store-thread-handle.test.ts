import { expect, test } from 'bun:test'
import { pinnedReadersMax } from '../../lib/store-protocol/limits.ts'
import { Stats } from '../../lib/store-protocol/stats.ts'
import { createFixture } from '../support/map/map-pair.ts'
import { startHandle } from '../support/store/handle-setup.ts'
import { soon } from '../support/until.ts'

const ends: [how: string, end: (thread: ReturnType<typeof startHandle>) => void, code: string][] = [
  ['closes', ({ receive }) => receive({ type: 'closed' }), 'stopping'],
  [
    'fails',
    ({ receive }) => receive({ type: 'failed', error: { code: 'store_failed', message: 'no' } }),
    'store_failed',
  ],
  ['dies', ({ ended }) => ended('out of memory'), 'internal'],
]

test.each(ends)('a flush that waits ends when the store %s', async (_, end, code) => {
  const thread = startHandle()
  const flush = thread.handle.flush().catch((error: unknown) => error)
  expect(thread.posted.map(({ type }) => type)).toContain('flush')
  end(thread)
  expect(await soon('the end of the flush', flush)).toMatchObject({ code })
})

test('a flush ends with what the thread answers to it', async () => {
  const { handle, receive } = startHandle()
  const flushes = [handle.flush(), handle.flush().catch((error: unknown) => error)]
  receive({ type: 'flush-failed', id: 2, error: { code: 'recovering', message: 'not yet' } })
  receive({ type: 'flushed', id: 1, operations: 5 })
  expect(await soon('the ends of the flushes', Promise.all(flushes))).toMatchObject([5, { code: 'recovering' }])
})

test('a stopping store does not run again when a pending step ends', () => {
  const { handle, receive } = startHandle()
  for (const state of ['recovering', 'stopping', 'running'] as const) receive({ type: 'state', state })
  expect(handle.state).toBe('stopping')
})

test('pinned readers can be pinned again once they are closed', () => {
  const { handle, receive } = startHandle()
  const { map } = createFixture({ readersMax: 1 + pinnedReadersMax })
  const assignment = { layout: [0], primaries: [0], replicas: [], partitionCount: 1, recordBytesMax: 1_000 }
  receive({ type: 'opened', ...assignment, stats: new Stats([0]).buffer, map: map.shared })
  for (let count = 0; count < 2 * pinnedReadersMax; count++) handle.reads.pin().close()
  const pinned = Array.from({ length: pinnedReadersMax }, () => handle.reads.pin())
  expect(() => handle.reads.pin()).toThrow(`all ${pinnedReadersMax} reserved readers are in use`)
  pinned[7]!.close()
  handle.reads.pin()
})
