import { expect, test } from 'bun:test'
import { Api } from '../../lib/page/api.ts'
import { ChangeFeed, perSecondMax, rowsMax } from '../../lib/page/change-feed.ts'

const put = (key: string) => ({
  type: 'put',
  data: JSON.stringify({ key, partition: 1, offset: 2, timestamp: 3, bytes: 4 }),
})
const feedOf = () => new ChangeFeed(new Api(''), () => {})

test('the newest change is the first, and each has a number of its own', () => {
  const feed = feedOf()
  expect(feed.take([put('a'), { type: 'delete', data: '{"key":"b","partition":0,"offset":null}' }], 5_000)).toBe(true)
  expect(feed.take([{ type: 'status', data: '{}' }, put('c')], 6_000)).toBe(true)
  expect(feed.rows.map(({ number, isDelete, key, timestamp }) => [number, isDelete, key, timestamp])).toEqual([
    [3, false, 'c', 3],
    [2, true, 'b', 5_000],
    [1, false, 'a', 3],
  ])
})

test('of many changes the last ones are kept, and the others are not even parsed', () => {
  const feed = feedOf()
  const damaged = Array.from({ length: 500 }, () => ({ type: 'put', data: '{' }))
  feed.take([...damaged, ...Array.from({ length: rowsMax }, (_, index) => put(String(index)))], 1_000)
  expect([feed.rows.length, feed.rows[0]?.key, feed.rows[0]?.number]).toEqual([rowsMax, '49', 550])
})

test('a second with too many changes ends the stream, the next one begins again', () => {
  const feed = feedOf()
  const half = Array.from({ length: perSecondMax / 2 }, () => put('a'))
  expect([feed.take(half, 1_000), feed.take(half, 1_999), feed.take([put('b')], 1_999)]).toEqual([true, true, false])
  expect(feed.isSampled).toBe(true)
  expect([feed.take(half, 2_000), feed.isSampled]).toEqual([true, false])
})
