import { expect, test } from 'bun:test'
import { murmur2, partitionOf } from '../../../lib/map/index.ts'

// org.apache.kafka.common.utils.UtilsTest.testMurmur2
const vectors: [string, number][] = [
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
]

test.each(vectors)('murmur2 agrees with Kafka for %s', (key, expected) => {
  const bytes = Buffer.from(`..${key}..`)
  expect(murmur2(bytes, 2, key.length)).toBe(expected)
})

test('partitionOf chooses a partition in range when the hash is negative', () => {
  expect(partitionOf(Buffer.from('21'), 10)).toBe((-973932308 & 0x7fffffff) % 10)
})
