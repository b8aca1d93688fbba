/**
 * Whole numbers as written by Kafka's IntegerSerializer and LongSerializer: 4 and 8 bytes, two's complement,
 * big-endian.
 * In a program, a number of 8 bytes is a bigint. In JSON it is a number if that is exact (up to 2^53), else a decimal
 * string.
 */
import type { Codec, Json } from '../codec.ts'

/** Each number has exactly one text, so that a key has one URL. */
export const decimalInteger = /^(?:0|-?[1-9]\d{0,18})$/
const int32Range = [-(2 ** 31), 2 ** 31 - 1] as const
const int64Range = [-(2n ** 63n), 2n ** 63n - 1n] as const
const int32Expected = `it must be a whole number from ${int32Range[0]} to ${int32Range[1]}`
const int64Expected = `it must be a whole number from ${int64Range[0]} to ${int64Range[1]}`

export const int32Codec: Codec<number> = {
  name: 'int32',
  decode: (bytes) => viewOf(bytes, 4).getInt32(0),
  encode(value) {
    const bytes = new Uint8Array(4)
    viewOf(bytes, 4).setInt32(0, int32Of(value))
    return bytes
  },
  toJson: (value) => value,
  fromJson: (json) => int32Of(typeof json === 'string' && decimalInteger.test(json) ? Number(json) : json),
  toText: String,
  fromText: (text) => int32Of(decimalInteger.test(text) ? Number(text) : text),
}

export const int64Codec: Codec<bigint> = {
  name: 'int64',
  decode: (bytes) => viewOf(bytes, 8).getBigInt64(0),
  encode(value) {
    const bytes = new Uint8Array(8)
    viewOf(bytes, 8).setBigInt64(0, int64Of(value))
    return bytes
  },
  toJson: jsonOfBigint,
  fromJson: (json) => int64Of(bigintOf(json)),
  toText: String,
  fromText: (text) => int64Of(bigintOf(text)),
}

/** Returns a number if JSON represents it exactly, else a decimal string. */
export function jsonOfBigint(value: bigint): number | string {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : String(value)
}

function int32Of(value: Json | bigint | undefined): number {
  const isInt32 = typeof value === 'number' && (value | 0) === value
  if (!isInt32) throw new Error(int32Expected)
  // -0 becomes 0.
  return value | 0
}

function int64Of(value: unknown): bigint {
  const isInt64 = typeof value === 'bigint' && value >= int64Range[0] && value <= int64Range[1]
  if (!isInt64) throw new Error(int64Expected)
  return value
}

/** Undefined if the JSON is not a whole number, or is a number beyond 2^53, which may have lost digits. */
function bigintOf(json: Json): bigint | undefined {
  if (typeof json === 'number') return Number.isSafeInteger(json) ? BigInt(json) : undefined
  return typeof json === 'string' && decimalInteger.test(json) ? BigInt(json) : undefined
}

function viewOf(bytes: Uint8Array, length: number): DataView {
  if (bytes.length !== length) throw new Error(`${bytes.length} bytes found, where ${length} are expected`)
  return new DataView(bytes.buffer, bytes.byteOffset, length)
}
