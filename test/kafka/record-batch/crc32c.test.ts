import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { crc32c } from '../../../lib/kafka/record-batch/index.ts'

test.each([
  // RFC 3720, appendix B.4, and the customary check value
  ['32 zeros', Buffer.alloc(32), 0x8a9136aa],
  ['32 ones', Buffer.alloc(32, 0xff), 0x62a8ab43],
  ['rising bytes', Buffer.from(Array.from({ length: 32 }, (_, index) => index)), 0x46dd794e],
  ['falling bytes', Buffer.from(Array.from({ length: 32 }, (_, index) => 31 - index)), 0x113fdb5c],
  ['digits', Buffer.from('123456789'), 0xe3069283],
  ['nothing', Buffer.alloc(0), 0],
])('crc32c yields the published value when given %s', (_, bytes, expected) => {
  expect(crc32c(bytes, 0, bytes.length)).toBe(expected)
})

test('crc32c equals the bitwise definition when given any range of any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(40), fc.nat(40), (bytes, before, after) => {
      const start = Math.min(before, bytes.length)
      const end = Math.max(start, bytes.length - after)
      expect(crc32c(bytes, start, end)).toBe(bitwise(bytes.subarray(start, end)))
    }),
    { numRuns: 500 },
  )
})

test('crc32c throws when the range lies outside the bytes', () => {
  expect(() => crc32c(Buffer.alloc(10), 0, 11)).toThrow(RangeError)
})

function bitwise(bytes: Uint8Array): number {
  let crc = 0xffff_ffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  }
  return ~crc >>> 0
}
