/**
 * Decimals: a whole number of any size (two's complement, big-endian), with a scale from the schema. In JSON a string
 * such as `"12.30"`.
 */
import type { Json } from '../codec.ts'
import { Mismatch } from './mismatch.ts'
import { bytesOfDefault } from './primitives.ts'
import { withoutTrailingZeros } from './trailing-zeros.ts'
import type { AvroType } from './type.ts'

/**
 * With a higher precision, bytes are shown as bytes: the cost of a conversion to decimal grows faster than their
 * length.
 */
const precisionMax = 1_000
const decimalText = /^(-?)(\d+)(?:\.(\d+))?$/
const bitsPerDigit = Math.log2(10)

/**
 * @param size length of a fixed type; undefined for bytes
 * @returns undefined if precision or scale are not valid
 */
export function decimalType(
  name: string,
  size: number | undefined,
  attributes: { precision?: unknown; scale?: unknown },
): AvroType | undefined {
  const { precision, scale = 0 } = attributes
  if (!isWhole(precision) || !isWhole(scale) || precision < 1 || precision > precisionMax || scale > precision) return
  const bytesMax = size ?? Math.ceil((precision * bitsPerDigit) / 8) + 1
  if (bytesMax > precisionMax) return
  const limit = 10n ** BigInt(precision)
  return {
    name,
    shape: 'string',
    read(input) {
      const bytes = size === undefined ? input.bytes() : input.fixed(size)
      if (bytes.length > bytesMax) throw new Error(`a decimal of ${precision} digits has ${bytes.length} bytes`)
      return textOf(numberOf(bytes), scale)
    },
    write(output, json) {
      const unscaled = unscaledOf(json, scale)
      if (unscaled >= limit || unscaled <= -limit) throw new Mismatch(`it must have at most ${precision} digits`)
      const bytes = bytesOf(unscaled, size)
      if (bytes === undefined) throw new Mismatch(`it must fit into ${size} bytes`)
      if (size === undefined) output.bytes(bytes)
      else output.fixed(bytes)
    },
    ofDefault: (json) => textOf(numberOf(bytesOfDefault(json).subarray(0, bytesMax)), scale),
  }
}

function isWhole(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function numberOf(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toHex()}`))
}

/** Returns two's complement in the fewest possible bytes, or in `size` bytes; undefined if the value does not fit. */
function bytesOf(value: bigint, size: number | undefined): Uint8Array | undefined {
  const magnitude = value < 0n ? -value - 1n : value
  // One more bit, for the sign.
  const sizeMin = magnitude === 0n ? 1 : Math.ceil((magnitude.toString(2).length + 1) / 8)
  const length = size ?? sizeMin
  if (length < sizeMin) return undefined
  const hex = BigInt.asUintN(length * 8, value).toString(16)
  return Uint8Array.fromHex(hex.padStart(length * 2, '0'))
}

function textOf(unscaled: bigint, scale: number): string {
  const sign = unscaled < 0n ? '-' : ''
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0')
  if (scale === 0) return sign + digits
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

function unscaledOf(json: Json, scale: number): bigint {
  const text = typeof json === 'number' ? String(json) : json
  const parts = typeof text === 'string' && text.length <= 2 * precisionMax ? decimalText.exec(text) : null
  if (parts === null) throw new Mismatch('it must be a decimal, such as "12.30"')
  const [, sign, whole, fraction = ''] = parts
  const kept = withoutTrailingZeros(fraction)
  if (kept.length > scale) throw new Mismatch(`it must have at most ${scale} digits after the point`)
  const unscaled = BigInt(whole + kept.padEnd(scale, '0'))
  return sign === '-' ? -unscaled : unscaled
}
