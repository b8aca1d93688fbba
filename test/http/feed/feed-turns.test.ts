import { expect, test } from 'bun:test'
import { setImmediate } from 'node:timers/promises'
import { presentationOf } from '../../../lib/definition/presentation.ts'
import { FeedBeats } from '../../../lib/http/feed/feed-beats.ts'
import { FeedEncoder } from '../../../lib/http/feed/feed-encoder.ts'
import { FeedSource } from '../../../lib/http/feed/feed-source.ts'
import { FeedTurns } from '../../../lib/http/feed/feed-turns.ts'
import { feedCounts, FeedStats } from '../../../lib/metrics/feed-stats.ts'
import type { ChangeId } from '../../../lib/store-protocol/change-id.ts'
import type { Following } from '../../../lib/store-protocol/following.ts'
import { Turns } from '../../../lib/turns.ts'
import { until } from '../../support/until.ts'

const batchMs = 1
const place: ChangeId = { topicId: 'a', time: 1, positions: new Map() }

test('streams that have much to catch up with leave each turn of the loop to others after some milliseconds', async () => {
  let now = 0
  let taken = 0
  const following: Following = {
    resumed: 'changelog',
    place: undefined,
    next: async () => {
      now += batchMs
      taken++
      return { events: [], place }
    },
    close: () => {},
  }
  const parts = {
    stats: new FeedStats([new Float64Array(feedCounts)], 0),
    beats: new FeedBeats(),
    turns: new FeedTurns(new Turns(() => now)),
  }
  const encoder = new FeedEncoder(presentationOf(undefined), { form: 'sse', withValues: true, textPrefix: undefined })
  const open = () => FeedSource.open(async () => following, encoder, parts)
  const streams = await Promise.all(Array.from({ length: 100 }, open))
  for (const stream of streams) stream.read()
  for (const stream of streams) stream.read()
  await setImmediate()
  expect(taken).toBeLessThan(10)
  await until('each has had its turn', () => taken >= streams.length)
  for (const stream of streams) stream.cancel()
})

test('one that comes while another one waits comes after it', async () => {
  const turns = new FeedTurns()
  const order: number[] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  const all = [1, 2, 3].map((number) =>
    turns.take(async () => {
      if (number === 1) await promise
      order.push(number)
    }),
  )
  resolve()
  await Promise.all(all)
  expect(order).toEqual([1, 2, 3])
})

test('one that fails gives its turn to the next one', async () => {
  const turns = new FeedTurns()
  const failing = turns.take(() => Promise.reject(new Error('stopping')))
  const next = turns.take(async () => 'taken')
  await expect(failing).rejects.toThrow('stopping')
  expect(await next).toBe('taken')
})
