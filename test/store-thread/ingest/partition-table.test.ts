import { expect, test } from 'bun:test'
import { BatchPool } from '../../../lib/store-thread/ingest/changelog-batch.ts'
import { PartitionIngest } from '../../../lib/store-thread/ingest/partition-ingest.ts'
import { PartitionTable } from '../../../lib/store-thread/ingest/partition-table.ts'

const pool = new BatchPool(1 << 16, 4)

test('a partition is current until it is lost, or another state takes its place', () => {
  const table = new PartitionTable()
  const [former, state] = [new PartitionIngest(3, 0, pool), new PartitionIngest(3, 0, pool)]
  table.add(former)
  expect([table.get(3), table.isCurrent(former), table.isCurrent(state)]).toEqual([former, true, false])
  table.add(state)
  expect([table.get(3), table.isCurrent(former), table.isCurrent(state)]).toEqual([state, false, true])
  expect(table.remove(3)).toBe(state)
  expect([table.get(3), table.isCurrent(state), table.remove(3)]).toEqual([undefined, false, undefined])
})

test('what was read up to a mark is settled when it is acknowledged, or its partition is lost', () => {
  const table = new PartitionTable()
  const [acknowledged, lost] = [new PartitionIngest(0, 0, pool), new PartitionIngest(1, 0, pool)]
  for (const state of [acknowledged, lost]) {
    table.add(state)
    state.consumeTo(5)
  }
  const isSettled = table.settledMark()
  expect(isSettled()).toBe(false)
  acknowledged.advance()
  expect(isSettled()).toBe(false)
  table.remove(1)
  expect(isSettled()).toBe(true)
  // What is read later does not count.
  acknowledged.consumeTo(9)
  expect(isSettled()).toBe(true)
})
