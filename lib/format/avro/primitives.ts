/** Types without parts: primitive types, fixed and enum. */
import type { Json } from '../codec.ts'
import { base64Of, bytesOfBase64 } from '../simple/base64.ts'
import { shortestFloat } from '../simple/floats.ts'
import { decimalInteger } from '../simple/integers.ts'
import { Mismatch } from './mismatch.ts'
import type { AvroType } from './type.ts'

const longRange = [-(2n ** 63n), 2n ** 63n - 1n] as const
/** Numbers that JSON cannot represent. */
const notFinite: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
}

/** Rarely useful outside unions, but valid in a schema. */
const nullType: AvroType = {
  name: 'null',
  shape: 'null',
  read(input) {
    input.item()
    return null
  },
  write(_output, json) {
    if (json !== null) throw new Mismatch('it must be null')
  },
  ofDefault: (json) => json,
}

const booleanType: AvroType = {
  name: 'boolean',
  shape: 'boolean',
  read: (input) => input.boolean(),
  write(output, json) {
    if (typeof json !== 'boolean') throw new Mismatch('it must be true or false')
    output.byte(json ? 1 : 0)
  },
  ofDefault: (json) => json,
}

const intType: AvroType = {
  name: 'int',
  shape: 'number',
  read: (input) => input.int(),
  write: (output, json) => output.long(intOf(json)),
  ofDefault: (json) => json,
}

const longType: AvroType = {
  name: 'long',
  shape: 'number',
  edgeShape: 'string',
  read: (input) => jsonOfLong(input.long()),
  write: (output, json) => output.long(longOf(json)),
  ofDefault: (json) => json,
}

const floatType: AvroType = {
  name: 'float',
  shape: 'number',
  edgeShape: 'string',
  read: (input) => jsonOfDouble(shortestFloat(input.float())),
  write: (output, json) => output.float(doubleOf(json)),
  ofDefault: (json) => json,
}

const doubleType: AvroType = {
  name: 'double',
  shape: 'number',
  edgeShape: 'string',
  read: (input) => jsonOfDouble(input.double()),
  write: (output, json) => output.double(doubleOf(json)),
  ofDefault: (json) => json,
}

const stringType: AvroType = {
  name: 'string',
  shape: 'string',
  read: (input) => input.string(),
  write(output, json) {
    if (typeof json !== 'string') throw new Mismatch('it must be a string')
    output.string(json)
  },
  ofDefault: (json) => json,
}

const bytesType: AvroType = {
  name: 'bytes',
  shape: 'string',
  read: (input) => base64Of(input.bytes()),
  write: (output, json) => output.bytes(bytesOf(json)),
  ofDefault: (json) => base64Of(bytesOfDefault(json)),
}

export const primitives: ReadonlyMap<string, AvroType> = new Map(
  [nullType, booleanType, intType, longType, floatType, doubleType, stringType, bytesType].map((type) => [
    type.name,
    type,
  ]),
)

/** A named type of `size` bytes. */
export function fixedType(name: string, size: number): AvroType {
  return {
    name,
    shape: 'string',
    read: (input) => base64Of(input.fixed(size)),
    write(output, json) {
      const bytes = bytesOf(json)
      if (bytes.length !== size) throw new Mismatch(`it must be ${size} bytes in base64, and has ${bytes.length}`)
      output.fixed(bytes)
    },
    ofDefault: (json) => base64Of(bytesOfDefault(json)),
  }
}

export function enumType(name: string, symbols: readonly string[]): AvroType {
  const numbers = new Map(symbols.map((symbol, number) => [symbol, number]))
  return {
    name,
    shape: 'string',
    read: (input) => symbols[input.index(symbols.length, `enum ${name}`)]!,
    write(output, json) {
      const number = numbers.get(json as string)
      if (number === undefined) throw new Mismatch(`it must be a symbol of enum ${name}, such as ${symbols[0]}`)
      output.long(number)
    },
    ofDefault: (json) => json,
  }
}

export function jsonOfLong(value: number | bigint): number | string {
  return typeof value === 'bigint' ? String(value) : value
}

/** @throws Mismatch, also for a number beyond 2^53, which may have lost digits */
export function longOf(json: Json): number | bigint {
  if (typeof json === 'number' && Number.isSafeInteger(json)) return json
  if (typeof json === 'string' && decimalInteger.test(json)) {
    const value = BigInt(json)
    if (value >= longRange[0] && value <= longRange[1]) return value
  }
  throw new Mismatch('it must be a whole number of 64 bits, beyond 2^53 as a decimal string')
}

/** @throws Mismatch */
export function intOf(json: Json): number {
  const value = typeof json === 'string' && decimalInteger.test(json) ? Number(json) : json
  if (typeof value !== 'number' || !Number.isInteger(value) || Math.abs(value) > 2 ** 31 || value === 2 ** 31) {
    throw new Mismatch('it must be a whole number of 32 bits')
  }
  return value
}

/**
 * Returns the bytes of a default. In schemas, each character stands for the byte of the same number.
 * @throws Mismatch
 */
export function bytesOfDefault(json: Json): Uint8Array {
  // oxlint-disable-next-line no-control-regex -- any byte
  if (typeof json !== 'string' || !/^[\0-\xff]*$/.test(json)) throw new Mismatch('it must be a string of bytes')
  return Uint8Array.from(json, (character) => character.charCodeAt(0))
}

function bytesOf(json: Json): Uint8Array {
  try {
    return bytesOfBase64(json)
  } catch (error) {
    throw new Mismatch((error as Error).message)
  }
}

function jsonOfDouble(value: number): number | string {
  return Number.isFinite(value) ? value : String(value)
}

function doubleOf(json: Json): number {
  // -0 becomes 0, as in JSON.
  if (typeof json === 'number') return json === 0 ? 0 : json
  const special = typeof json === 'string' && Object.hasOwn(notFinite, json) ? notFinite[json] : undefined
  // Our JSON parser decodes a whole number beyond 2^53 as a string.
  const value = special ?? (typeof json === 'string' && /^-?\d+$/.test(json) ? Number(json) : undefined)
  if (value === undefined) throw new Mismatch('it must be a number, or "NaN", "Infinity" or "-Infinity"')
  return value
}
