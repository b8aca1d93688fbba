/** Random messages as bytes: all that a sender may write, the defaults that most leave out in particular. */
import type { Random } from '../../../random.ts'
import { enums, type Field, messages } from './schema.ts'

const depthMax = 3
const encoder = new TextEncoder()
/** It has required fields. */
const withRequired = 'd2.Required'
const varints = new Set(['int32', 'int64', 'uint32', 'uint64', 'sint32', 'sint64', 'bool'])
const fours = new Set(['float', 'fixed32', 'sfixed32'])
const eights = new Set(['double', 'fixed64', 'sfixed64'])
const zigzag = new Set(['sint32', 'sint64'])
const doubles = [1, -1.5, 0.1, 1e300, 5e-324, Infinity, -Infinity, Number.NaN, 123_456_789.125]
const floats = [1, -1.5, 0.1, 3.4028234663852886e38, 1e-45, 16_777_216, Infinity, Number.NaN, 2e-3]
const texts = ['a', 'käse', '\u{1f600}', '\0', '__proto__', '"', 'toString', '7', '-1', 'a'.repeat(200)]
/** Its bytes are digits, as a decoded key of a map has them. */
const digits = 0x3837363534333231n
const wholes = [
  1n,
  -1n,
  7n,
  127n,
  128n,
  2n ** 31n - 1n,
  -(2n ** 31n),
  2n ** 53n - 1n,
  2n ** 53n + 1n,
  2n ** 63n - 1n,
  digits,
]

export class WireWriter {
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  message(name: string, depth = 0): number[] {
    const { fields } = messages.get(name)!
    const bytes: number[] = []
    // Few of them, or one that is wrong would make each message wrong.
    const count = this.#random.below(Math.min(fields.length, depth === 0 ? 6 : 3) + 1)
    for (let index = 0; index < count; index++) bytes.push(...this.field(this.#random.pick(fields), depth))
    if (this.#isRare()) bytes.push(...this.#unknown())
    return special[name]?.(this.#random) ?? bytes
  }

  field(field: Field, depth: number): number[] {
    const { id, type, place, keyType } = field
    switch (place) {
      case 'one':
        // One that comes in two parts, we want to be whole in each, Java in both together.
        if (type === withRequired) return [...tag(id, 2), ...lengthPrefixed(this.#allFields(type))]
        return this.#tagged(id, type, depth)
      case 'group':
        return [...tag(id, 3), ...this.message(type, depth + 1), ...tag(id, 4)]
      case 'many':
      case 'groups': {
        const count = 1 + this.#random.below(3)
        if (place === 'many' && wireTypeOf(type) !== 2 && this.#random.below(2) === 0) {
          const values = Array.from({ length: this.#random.below(4) }, () => this.#value(type, depth))
          return [...tag(id, 2), ...lengthPrefixed(values.flat())]
        }
        return Array.from({ length: count }, () =>
          place === 'many' ? this.#tagged(id, type, depth) : this.field({ id, type, place: 'group' }, depth),
        ).flat()
      }
      case 'map': {
        // A key of 64 bits that is left out, and one that is 0, are the same to Java, and to us where there is only one of them.
        const isZero = keyType!.endsWith('64') ? false : this.#random.below(5) < 2
        const wholeKey = [...tag(1, wireTypeOf(keyType!)), ...this.#value(keyType!, depth, isZero)]
        const key = this.#random.below(3) > 0 ? wholeKey : []
        const isLeftOut = this.#random.below(3) === 0
        // What is not in a closed enum of a map, Java's dynamic messages take for 0, and the code that protoc makes for unknown.
        const number = enums[type] === undefined ? undefined : varint(BigInt(this.#random.pick(enums[type])))
        const value = isLeftOut ? [] : number === undefined ? this.#tagged(2, type, depth) : [...tag(2, 0), ...number]
        const entry = this.#isRare() ? [...value, ...this.#unknown(), ...key] : [...key, ...value]
        return [...tag(id, 2), ...lengthPrefixed(entry)]
      }
    }
  }

  #allFields(message: string): number[] {
    return messages.get(message)!.fields.flatMap((field) => this.field(field, depthMax))
  }

  #tagged(id: number, type: string, depth: number): number[] {
    return [...tag(id, wireTypeOf(type)), ...this.#value(type, depth)]
  }

  #value(type: string, depth: number, isDefault = this.#random.below(5) < 2): number[] {
    if (messages.has(type)) return lengthPrefixed(isDefault || depth >= depthMax ? [] : this.message(type, depth + 1))
    const numbers = enums[type]
    if (numbers !== undefined) return varint(BigInt(this.#isRare() ? 77 : this.#random.pick(numbers)))
    if (type === 'string') return lengthPrefixed([...encoder.encode(isDefault ? '' : this.#random.pick(texts))])
    if (type === 'bytes') {
      return lengthPrefixed(
        isDefault ? [] : Array.from({ length: 1 + this.#random.below(5) }, () => this.#random.below(256)),
      )
    }
    if (type === 'bool') return varint(isDefault ? 0n : 1n)
    if (type === 'double') {
      return littleEndian(8, (view) => view.setFloat64(0, isDefault ? 0 : this.#random.pick(doubles), true))
    }
    if (type === 'float') {
      return littleEndian(4, (view) => view.setFloat32(0, isDefault ? 0 : this.#random.pick(floats), true))
    }
    const bits = type.endsWith('64') ? 64 : 32
    const whole = isDefault
      ? 0n
      : type.startsWith('u') || type.startsWith('f')
        ? this.#random.pick(wholes)
        : BigInt.asIntN(bits, this.#random.pick(wholes))
    if (wireTypeOf(type) === 1) return littleEndian(8, (view) => view.setBigUint64(0, BigInt.asUintN(64, whole), true))
    if (wireTypeOf(type) === 5) {
      return littleEndian(4, (view) => view.setUint32(0, Number(BigInt.asUintN(32, whole)), true))
    }
    if (zigzag.has(type)) return varint(BigInt.asUintN(bits, (whole << 1n) ^ (whole >> 63n)))
    return varint(type.startsWith('u') ? BigInt.asUintN(bits, whole) : whole)
  }

  #unknown(): number[] {
    const id = this.#random.pick([15_000, 536_870_911])
    const wireType = this.#random.pick([0, 1, 2, 3, 5])
    const content = { 0: [0x7f], 1: [7, 7, 7, 7, 7, 7, 7, 7], 2: [1, 7], 3: tag(id, 4), 5: [7, 7, 7, 7] }[wireType]!
    return [...tag(id, wireType), ...content]
  }

  #isRare(): boolean {
    return this.#random.below(8) === 0
  }
}

/**
 * Of an Empty in an Any, Java's JSON has no value, Go's an empty object, as ours has. Of Google's messages, what is no value of theirs is no matter here: times that are none, paths that JSON cannot say. */
const special: Readonly<Record<string, (random: Random) => number[]>> = {
  'google.protobuf.Timestamp': (random) =>
    secondsAndNanos(
      random.pick([0n, 1n, -1n, 1_700_000_000n, -62_135_596_800n]),
      random.pick([0, 1, 500_000_000, 999_999_999]),
    ),
  'google.protobuf.Duration': (random) =>
    secondsAndNanos(random.pick([0n, 1n, 315_576_000_000n]), random.pick([0, 1, 999_999_999])),
  'google.protobuf.FieldMask': (random) => {
    const path = random.pick(['', 'a', 'foo_bar', 'a.b_c'])
    return path === '' ? [] : [...tag(1, 2), ...lengthPrefixed([...encoder.encode(path)])]
  },
  'google.protobuf.Any': (random) => {
    const held = random.pick([
      '',
      'google.protobuf.BytesValue',
      'google.protobuf.Duration',
      'd3.All',
      'google.protobuf.Any',
    ])
    if (held === '') return []
    const value = { 'google.protobuf.BytesValue': [0x0a, 0x00], 'google.protobuf.Duration': [0x08, 0x07] }[held] ?? []
    const bytes = random.below(2) === 0 ? [] : [...tag(2, 2), ...lengthPrefixed(value)]
    return [...tag(1, 2), ...lengthPrefixed([...encoder.encode(`type.googleapis.com/${held}`)]), ...bytes]
  },
}

function secondsAndNanos(seconds: bigint, nanos: number): number[] {
  return [...tag(1, 0), ...varint(seconds), ...tag(2, 0), ...varint(BigInt(nanos))]
}

function wireTypeOf(type: string): number {
  if (varints.has(type) || enums[type] !== undefined) return 0
  if (eights.has(type)) return 1
  return fours.has(type) ? 5 : 2
}

export function tag(id: number, wireType: number): number[] {
  return varint(BigInt(id * 8 + wireType))
}

/** Of 64 bits, two's complement. */
function varint(value: bigint): number[] {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, value)
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80)
    rest >>= 7n
  }
  return [...bytes, Number(rest)]
}

function lengthPrefixed(bytes: readonly number[]): number[] {
  return [...varint(BigInt(bytes.length)), ...bytes]
}

function littleEndian(size: number, set: (view: DataView) => void): number[] {
  const bytes = new Uint8Array(size)
  set(new DataView(bytes.buffer))
  return [...bytes]
}
