import { expect, test } from 'bun:test'
import type { ShownPartition } from '../../lib/http/status-events/status-event.ts'
import { filtered } from '../../lib/page/partition-filter.ts'

const partitions = Array.from({ length: 1_000 }, (_, partition) => ({
  partition,
  role: partition === 7 ? 'replica' : 'primary',
  state: partition === 900 ? 'fenced' : 'running',
})) as ShownPartition[]

test.each([
  ['3', [3]],
  ['3, 10-12', [3, 10, 11, 12]],
  ['998-', [998, 999]],
  ['FENCED 5', [5, 900]],
  ['repl', [7]],
  ['nothing', []],
  ['12x', []],
])('%s leaves some', (filter, expected) => {
  expect(filtered(partitions, filter).map(({ partition }) => partition)).toEqual(expected)
})

test.each(['', ' , '])('%j leaves all', (filter) => expect(filtered(partitions, filter)).toHaveLength(1_000))
