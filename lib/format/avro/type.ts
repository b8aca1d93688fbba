/** One type of a schema: how its values stand in Avro's binary encoding, and in JSON. */
import { type Json } from '../codec.ts'
import { Mismatch } from './mismatch.ts'
import { type AvroReader } from './reader.ts'
import { type AvroWriter } from './writer.ts'

/** What a value looks like in JSON. */
export type Shape = 'null' | 'boolean' | 'number' | 'string' | 'array' | 'object'

export interface AvroType {
  /** As unions name their branches: `long`, `map`, `orders.v1.Order`. */
  readonly name: string
  /** `any` is a union's. */
  readonly shape: Shape | 'any'
  /** Of the few values that `shape` cannot show: whole numbers beyond 2^53, times that no calendar has. */
  readonly edgeShape?: Shape
  /** @throws Error saying what was found */
  read(input: AvroReader): Json
  /** Takes what `read` returns, and a little more. @throws Mismatch */
  write(output: AvroWriter, json: Json): void
  /** A field's default, which schemas write in another JSON than that of values. */
  ofDefault(json: Json): Json
}

export function shapeOf(json: Json): Shape {
  if (json === null) return 'null'
  if (Array.isArray(json)) return 'array'
  return typeof json as Shape
}

/** Names come from outside: `__proto__` is one like any other. */
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
