import { expect, test } from 'bun:test'
import { partitionFor } from '../../lib/store/partitioner.ts'

/** Keys and hashes of librdkafka's tests/0048-partitioner.c, which has them from other programs. */
const partitionCount = 17
const vectors: [key: string, crc32: number, murmur2: number][] = [
  ['23456', 0xb1b451d7, 0x058d780f],
  ['this is another string with more length to it perhaps', 0xb0150df7, 0x4f7703da],
  ['hejsan', 0xd077037e, 0x5ec19395],
]

test.each(vectors)('the partition of "%s" is that of librdkafka', (key, crc32, murmur2) => {
  const bytes = Buffer.from(key)
  expect(partitionFor(bytes, partitionCount, 'crc32')).toBe(crc32 % partitionCount)
  expect(partitionFor(bytes, partitionCount, 'murmur2')).toBe(murmur2 % partitionCount)
})

/** org.apache.kafka.common.utils.UtilsTest.testMurmur2; toPositive() clears the sign. */
test.each([
  ['21', -973932308],
  ['foobar', -790332482],
  ['abc', 479470107],
])('the partition of "%s" is that of the Java client', (key, murmur2) => {
  expect(partitionFor(Buffer.from(key), 9, 'murmur2')).toBe((murmur2 & 0x7fffffff) % 9)
})

test('the partition is not known when the partitioner is none', () => {
  expect(partitionFor(Buffer.from('abc'), 9, 'none')).toBeUndefined()
})

test('the partition is not known when librdkafka is given an empty key, which it spreads at random', () => {
  expect(partitionFor(Buffer.alloc(0), 9, 'crc32')).toBeUndefined()
  expect(partitionFor(Buffer.alloc(0), partitionCount, 'murmur2')).toBe(0x106e08d9 % partitionCount)
})
