/** How many partitions a store has while its topic grows. */
import { expect, test } from 'bun:test'
import { NotedCounts } from '../../lib/store/added-partitions.ts'
import { inGroup } from '../../lib/store/assignment.ts'

const thread = (partitionCount: number) => ({ assignment: { partitionCount } })
const routes = { complete: [], owners: [], isElsewhere: [] }

test('a topic has grown once all store threads have noted it', () => {
  const counts = new NotedCounts()
  const threads = [thread(2), thread(2)]
  const [first, second] = threads as [ReturnType<typeof thread>, ReturnType<typeof thread>]
  counts.note(first, 4)
  expect(counts.least(threads)).toBe(2)
  counts.note(second, 3)
  expect(counts.least(threads)).toBe(3)
  expect(counts.least([...threads, thread(2)])).toBe(2)
})

test('in a group the plan says how many partitions there are', () => {
  const known = { primaries: [0], replicas: [], partitionCount: 4 }
  expect(inGroup(known, routes, 0).partitionCount).toBe(4)
  expect(inGroup(known, routes, 2).partitionCount).toBe(2)
  expect(inGroup(known, routes, 8).partitionCount).toBe(8)
})
