import { expect, test } from 'bun:test'
import type { CommittedOffset } from '../../lib/kafka/offsets.ts'
import { AwaitedRebuilds } from '../../lib/store-thread/awaited-rebuilds.ts'
import { rebuildingMetadata } from '../../lib/topics/completeness.ts'
import { until } from '../support/until.ts'

function setup() {
  const commits = new Map<number, CommittedOffset>()
  const asked: string[] = []
  const faults: unknown[] = []
  let over = 0
  const note = (partition: number) => void commits.set(partition, { offset: 5, metadata: rebuildingMetadata })
  const awaited = new AwaitedRebuilds(
    {
      committed: async (partitions) => {
        asked.push(partitions.join())
        return commits
      },
      over: () => void over++,
      failed: (error) => void faults.push(error),
    },
    1,
  )
  return { awaited, commits, asked, faults, note, overs: () => over }
}

test('partitions are waited for while their commits have the note, all with one request', async () => {
  const { awaited, commits, asked, faults, note, overs } = setup()
  for (const partition of [1, 3]) {
    note(partition)
    awaited.add(partition)
  }
  await until('it has looked twice', () => asked.length >= 2)
  expect(asked.slice(0, 2)).toEqual(['1,3', '1,3'])
  expect([awaited.has(1), awaited.has(3), overs()]).toEqual([true, true, 0])
  commits.set(3, { offset: 5, metadata: 'latchkey/1 changelog-start=0 changelog-end=9' })
  await until('one is rebuilt', () => overs() === 1)
  expect([awaited.has(1), awaited.has(3)]).toEqual([true, false])
  // A group that was reset has no commits.
  commits.clear()
  await until('the other one is rebuilt', () => overs() === 2)
  const looks = asked.length
  await Bun.sleep(10)
  expect([awaited.has(1), asked.length, faults]).toEqual([false, looks, []])
})

test('nothing is asked after a stop', async () => {
  const { awaited, asked, note } = setup()
  note(0)
  awaited.add(0)
  awaited.stop()
  awaited.add(1)
  await Bun.sleep(10)
  expect(asked).toEqual([])
})
