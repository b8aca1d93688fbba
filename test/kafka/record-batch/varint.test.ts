import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { varintBytes, varlongBytes, writeVarint, writeVarlong } from '../../../lib/kafka/record-batch/varint.ts'
import { varint } from '../../support/kafka/record-batch/raw-batch.ts'

const int32Edges = [0, -1, 63, 64, -64, -65, 8191, 8192, -8192, -8193, 2 ** 31 - 1, -(2 ** 31)]
const int64Edges = [2 ** 31, -(2 ** 31) - 1, 2 ** 34, 2 ** 41 - 1, 2 ** 53 - 1, -(2 ** 53) + 1, 2 ** 62, -(2 ** 63)]

test('writeVarint equals the definition when given any 32-bit integer', () => {
  for (const value of int32Edges) expect(written(writeVarint, value)).toEqual(varint(value))
  fc.assert(
    fc.property(fc.integer(), (value) => {
      expect(written(writeVarint, value)).toEqual(varint(value))
      expect(varintBytes(value)).toBe(varint(value).length)
    }),
  )
})

test('writeVarlong equals the definition when given any safe integer', () => {
  for (const value of [...int32Edges, ...int64Edges]) {
    expect(varlongBytes(value)).toBe(varint(value).length)
    // Beyond 2^53 a double has no room for the last bit of -1 - value
    if (Number.isSafeInteger(value)) expect(written(writeVarlong, value)).toEqual(varint(value))
  }
  fc.assert(
    fc.property(fc.maxSafeInteger(), (value) => {
      expect(written(writeVarlong, value)).toEqual(varint(value))
      expect(varlongBytes(value)).toBe(varint(value).length)
    }),
  )
})

function written(write: (target: Uint8Array, at: number, value: number) => number, value: number): Buffer {
  const target = Buffer.alloc(16)
  return target.subarray(0, write(target, 0, value))
}
