import { expect, test } from 'bun:test'
import { discardOffset, SourceTrail } from '../../../lib/store-thread/recovery/source-trail.ts'
import { headerOf, rawBatch, rawRecord } from '../../support/kafka/record-batch/raw-batch.ts'
import { opened } from '../../support/store-thread/stand-ins.ts'

/** What a user wrote after a source offset. */
interface After {
  after: number
}

function headersOf(mark: number | After | undefined): [string, Buffer][] {
  if (mark === undefined) return []
  return typeof mark === 'number' ? [['src', headerOf(mark)]] : [['aft', headerOf(mark.after)]]
}

/** Notes batches of records, each `key: source offset`; undefined: no header. The first is at changelog offset 100. */
function follow(...batches: [string, number | After | undefined][][]): SourceTrail {
  const trail = new SourceTrail()
  let offset = 100
  for (const records of batches) {
    const raw = records.map(([key, mark], offsetDelta) =>
      rawRecord({
        offsetDelta,
        timestampDelta: BigInt(offsetDelta),
        key,
        headers: headersOf(mark),
      }),
    )
    const bytes = rawBatch({ baseOffset: BigInt(offset), baseTimestamp: 1000n, records: raw })
    const batch = opened(bytes)
    while (batch.nextRecord()) trail.note(batch, batch.sourceOffset())
    trail.settle(batch)
    bytes.fill(0) // as when the response's memory is used again
    offset += records.length
  }
  return trail
}

test('SourceTrail is unknown when no record names its source offset', () => {
  expect(follow([['a', undefined]], [['b', undefined]])).toMatchObject({ last: undefined, discardedAt: -1 })
})

test('SourceTrail keeps the record with the highest source offset when others come before and after', () => {
  const trail = follow(
    [
      ['a', 4],
      ['b', 9],
      ['c', 7],
    ],
    [['d', 8]],
    [['e', undefined]],
  )
  expect(trail.last).toEqual({ offset: 9, key: Buffer.from('b'), timestamp: 1001 })
})

test('SourceTrail keeps the first of two records when their source offset is the same', () => {
  expect(follow([['a', 4]], [['a', 4]]).last).toEqual({ offset: 4, key: Buffer.from('a'), timestamp: 1000 })
})

test('SourceTrail accepts an empty key', () => {
  expect(follow([['', 3]]).last).toEqual({ offset: 3, key: Buffer.alloc(0), timestamp: 1000 })
})

test('SourceTrail forgets what it saw when a discard comes', () => {
  const trail = follow(
    [['a', 900]],
    [
      ['a', discardOffset],
      ['b', discardOffset],
    ],
  )
  expect(trail).toMatchObject({ last: undefined, discardedAt: 102 })
})

test('SourceTrail forgets what precedes a discard in the same batch, and keeps what follows', () => {
  const trail = follow(
    [
      ['a', 900],
      ['b', discardOffset],
      ['c', 3],
    ],
    [['d', 2]],
  )
  expect(trail.last).toEqual({ offset: 3, key: Buffer.from('c'), timestamp: 1002 })
  expect(trail.discardedAt).toBe(101)
})

test('SourceTrail keeps the highest offset that a user wrote after, apart from what the source wrote', () => {
  const trail = follow(
    [
      ['a', 4],
      ['b', { after: 9 }],
    ],
    [
      ['c', { after: 7 }],
      ['d', 8],
    ],
  )
  expect(trail).toMatchObject({ after: 9, last: { offset: 8, key: Buffer.from('d') } })
})

test('SourceTrail forgets what a user wrote after when a discard comes', () => {
  const trail = follow([
    ['a', { after: 900 }],
    ['a', discardOffset],
    ['b', { after: 5 }],
  ])
  expect(trail).toMatchObject({ after: 5, last: undefined })
})
