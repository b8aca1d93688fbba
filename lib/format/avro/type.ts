/** Interface of a schema's types: each converts between Avro's binary encoding and JSON. */
import type { Json } from '../codec.ts'
import { Mismatch } from './mismatch.ts'
import type { AvroReader } from './reader.ts'
import type { AvroWriter } from './writer.ts'

/** Type of a value in JSON. */
export type Shape = 'null' | 'boolean' | 'number' | 'string' | 'array' | 'object'

export interface AvroType {
  /** Name as in the branches of unions: `long`, `map`, `orders.v1.Order`. */
  readonly name: string
  /** `any` for unions. */
  readonly shape: Shape | 'any'
  /**
   * Shape of the few values that `shape` cannot represent: whole numbers beyond 2^53 and times outside the calendar.
   */
  readonly edgeShape?: Shape
  /** @throws Error that says what was found */
  read(input: AvroReader): Json
  /**
   * Accepts what `read` returns, and some further forms.
   * @throws Mismatch
   */
  write(output: AvroWriter, json: Json): void
  /** Returns the JSON form of a field's default. Schemas write defaults in a different JSON form than values. */
  ofDefault(json: Json): Json
}

export function shapeOf(json: Json): Shape {
  if (json === null) return 'null'
  if (Array.isArray(json)) return 'array'
  return typeof json as Shape
}

/** Sets a member whose name may be any text, including `__proto__`. */
export function setMember(members: Record<string, Json>, name: string, json: Json): void {
  if (name !== '__proto__') members[name] = json
  else Object.defineProperty(members, name, { value: json, enumerable: true, configurable: true, writable: true })
}

export interface Members {
  readonly [name: string]: Json
}

/** @throws Mismatch */
export function membersOf(json: Json, expected: string): Members {
  if (shapeOf(json) !== 'object') throw new Mismatch(expected)
  return json as Members
}
