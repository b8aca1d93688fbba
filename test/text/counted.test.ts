import { expect, test } from 'bun:test'
import { counted } from '../../lib/text/counted.ts'

test('a count is followed by the noun in its number', () => {
  expect([0, 1, 2].map((count) => counted(count, 'partition'))).toEqual(['0 partitions', '1 partition', '2 partitions'])
})
