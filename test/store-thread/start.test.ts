import { expect, test } from 'bun:test'
import { startAhead, startStoreThread } from '../../lib/store-thread/start.ts'

test('a thread that was started ahead is the first store thread, and no other', () => {
  startAhead()
  const threads = [startStoreThread(), startStoreThread()]
  expect(new Set(threads).size).toBe(2)
  for (const thread of threads) thread.terminate()
})
