import { expect, test } from 'bun:test'
import type { RecordBatchReader } from '../../../lib/kafka/record-batch/index.ts'
import { HeaderSelector } from '../../../lib/store-protocol/kept-headers.ts'
import { rawBatch, rawRecord } from '../../support/kafka/record-batch/raw-batch.ts'
import { createFixture } from '../../support/map/map-pair.ts'
import { ownBatch, setup } from '../../support/store-thread/amendment-setup.ts'
import { opened } from '../../support/store-thread/stand-ins.ts'
import { until } from '../../support/until.ts'

test('an amendment writes records as they were, and a tombstone where memory has none', async () => {
  const { put, openAll, state, amending, acknowledge } = setup()
  put(0, 'a', 'one', 7, 1000)
  put(0, 'own', 'two', -1, 2000)
  put(0, 'empty', '', 0, -1)
  await openAll()
  const done = amending.amend(state, async (amendment) => {
    for (const key of ['a', 'own', 'gone', 'empty']) await amendment.append(Buffer.from(key), 12)
  })
  await until('something is to be written', () => state.amendmentsLeft > 0)
  expect(acknowledge()).toEqual([
    'a=one src 7 at 1000',
    'own=two aft 12 at 2000',
    'gone=- aft 12',
    'empty= src 0 at -1',
  ])
  await done
  expect(state.isWithheld).toBe(false)
})

test('an amendment writes no tombstone over what memory has', async () => {
  const { put, openAll, state, amending, acknowledge } = setup()
  put(0, 'a', 'one', 7)
  await openAll()
  const done = amending.amend(state, async (amendment) => {
    await amendment.appendTombstone(Buffer.from('a'), -1)
    await amendment.appendTombstone(Buffer.from('b'), -1)
  })
  await until('something is to be written', () => state.amendmentsLeft > 0)
  expect(acknowledge()).toEqual(['b=-'])
  await done
})

test('an amendment writes kept headers', async () => {
  const { map, openAll, state, amending, acknowledge } = setup(['trace'])
  const record = rawRecord({
    key: 'k',
    value: 'v',
    headers: [
      ['trace', Buffer.from('x')],
      ['other', Buffer.from('y')],
    ],
  })
  const reader: RecordBatchReader = opened(rawBatch({ records: [record] }))
  reader.nextRecord()
  new HeaderSelector(['trace']).put(map, 0, reader, 5)
  await openAll()
  const done = amending.amend(state, (amendment) => amendment.append(Buffer.from('k'), 9))
  await until('something is to be written', () => state.amendmentsLeft > 0)
  expect(acknowledge()[0]).toStartWith('k=v src 5 +1')
  await done
})

test('an amendment precedes waiting batches, and follows those under way', async () => {
  const { put, openAll, state, pool, amending, acknowledge, progress } = setup()
  put(0, 'a', 'one', 7, 1)
  await openAll()
  for (const key of ['first', 'waits']) state.queue.push(ownBatch(pool, key))
  const first = state.takeBatch()!
  const done = amending.amend(state, (amendment) => amendment.append(Buffer.from('a'), 9))
  expect(state.takeBatch()).toBeUndefined()
  expect(state.amendmentsLeft).toBe(1)
  put(0, 'a', 'newer', 8, 1)
  state.settle(first, undefined)
  progress.made()
  await until('the amendment is to be written', () => state.amendmentsLeft > 0)
  expect(acknowledge()).toEqual(['a=newer src 8 at 1'])
  await done
  expect(acknowledge()).toEqual(['waits=new src 99 at 5'])
})

test('an amendment holds a few batches at a time, for any size', async () => {
  const { put, openAll, state, amending, acknowledge, unsettledBytes } = setup([], 1000)
  for (let i = 0; i < 500; i++) put(0, `key ${i}`, 'x'.repeat(90), i)
  await openAll()
  let most = 0
  const done = amending.amend(state, async (amendment) => {
    for (let i = 0; i < 500; i++) {
      await amendment.append(Buffer.from(`key ${i}`), 0)
      most = Math.max(most, state.amendmentsLeft)
    }
  })
  const written: string[] = []
  await until('all is written', () => {
    written.push(...acknowledge())
    return written.length === 500
  })
  await done
  expect(most).toBeLessThanOrEqual(4)
  expect(unsettledBytes()).toBe(0)
})

test('an amendment is over when the partition is lost, or withheld again', async () => {
  for (const end of ['lose', 'withhold'] as const) {
    const { put, openAll, state, amending, lose, unsettledBytes, acknowledge } = setup()
    put(0, 'a', 'one', 7)
    await openAll()
    let amended: boolean | undefined
    amending.withhold(state)
    const done = amending
      .write(state, (amendment) => amendment.append(Buffer.from('a'), 9))
      .then((all) => (amended = all))
    await until('something is to be written', () => state.amendmentsLeft > 0)
    if (end === 'lose') lose()
    else amending.withhold(state, [state.takeBatch()!])
    if (end === 'withhold') expect([unsettledBytes(), state.inFlight, acknowledge()]).toEqual([0, 0, []])
    if (end === 'withhold') amending.release(state)
    await done
    expect(amended).toBe(false)
  }
})

test('keysByOffset of a map gives the keys whose entries have accepted offsets', async () => {
  const { map, put, openAll } = createFixture()
  for (let i = 0; i < 1000; i++) put(0, `key ${i}`, 'x', i)
  await openAll()
  const found = [...map.keysByOffset(0, (offset) => offset >= 990)].flat()
  expect(found.map(({ key, offset }) => [Buffer.from(key).toString(), offset]).toSorted()).toEqual(
    Array.from({ length: 10 }, (_, i) => [`key ${990 + i}`, 990 + i]),
  )
})
