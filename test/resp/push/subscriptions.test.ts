import { expect, test } from 'bun:test'
import type { PushQueue } from '../../../lib/resp/push/push-queue.ts'
import { Subscriptions } from '../../../lib/resp/push/subscriptions.ts'

function queue(): { pushQueue: PushQueue; messages: number; fault: string | undefined } {
  const seen = { messages: 0, fault: undefined as string | undefined }
  const pushQueue = { add: () => seen.messages++, fail: (fault: string) => (seen.fault = fault) }
  return Object.assign(seen, { pushQueue: pushQueue as unknown as PushQueue })
}

test('patterns that take long together are closed, the costliest first, and others get their messages', () => {
  const subscriptions = new Subscriptions(true, 2_000_000)
  const evil = Array.from({ length: 20 }, (_, index) => {
    const client = queue()
    subscriptions.subscribePattern(`__keyspace@0__:*${'a'.repeat(100 + 10 * index)}b`, client.pushQueue)
    return client
  })
  const simple = queue()
  subscriptions.subscribePattern('__keyspace@0__:a*', simple.pushQueue)
  const key = Buffer.from('a'.repeat(1_000))
  const pauses = [...subscriptions.changed(key.toString('latin1'), key, 'set')]
  expect(pauses.length).toBeGreaterThan(2)
  const closed = evil.map(({ fault }) => fault === 'its pattern takes too long to compare')
  expect([closed[0], closed.at(-1)]).toEqual([false, true])
  expect(closed).toEqual(closed.toSorted())
  expect(simple.fault).toBeUndefined()
  expect(simple.messages).toBe(1)
  // What was closed costs nothing any more.
  for (const _ of subscriptions.changed(key.toString('latin1'), key, 'del')) continue
  expect(simple.messages).toBe(2)
})

test('a pattern that is subscribed to again in each pause does not keep a change from its end', () => {
  const subscriptions = new Subscriptions(true)
  const { pushQueue } = queue()
  const text = `__keyspace@0__:*${'a'.repeat(300)}b`
  for (const end of ['', 'c', 'd']) subscriptions.subscribePattern(text + end, pushQueue)
  const key = Buffer.from('a'.repeat(1_000))
  let pauses = 0
  for (const _ of subscriptions.changed(key.toString('latin1'), key, 'set')) {
    subscriptions.unsubscribePattern(text, pushQueue)
    subscriptions.subscribePattern(text, pushQueue)
    if (++pauses > 10) break
  }
  expect(pauses).toBe(3)
})
