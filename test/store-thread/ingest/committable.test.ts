import { expect, test } from 'bun:test'
import { committable } from '../../../lib/store-thread/ingest/committable.ts'

test('a partition is committed up to what is acknowledged, unless it is lost, rebuilt or repaired', () => {
  const [whole, lost, rebuilt, repaired, begun] = [0, 1, 2, 3, 4]
  const ingest = { acknowledged: (partition: number) => ({ [lost]: -1, [begun]: 0 })[partition] ?? 10 + partition }
  const catchUp = { rebuilds: (partition: number) => partition === rebuilt }
  const repairs = { isRepairing: (partition: number) => partition === repaired }
  expect([...committable([0, 1, 2, 3, 4], ingest, catchUp, repairs)]).toEqual([
    [whole, 10],
    [begun, 0],
  ])
})
