/** Parts of an OpenAPI document, as far as this folder uses them. */

/** A JSON Schema of draft 2020-12. */
export type Schema = Readonly<Record<string, unknown>>

export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly description: string
  readonly schema: Schema
  readonly required?: true
  readonly allowEmptyValue?: true
  /** For every example of an operation. */
  readonly example?: unknown
  /** For the examples of these names. */
  readonly examples?: Examples | undefined
}

/**
 * An operation's examples by name. Parameters, bodies and answers with one name belong together. `x-schema` is of an
 * example alone, where the schema of the media type has to allow every value of a store.
 */
export type Examples = Readonly<Record<string, { readonly value: unknown; readonly 'x-schema'?: Schema }>>

export interface Media {
  readonly schema: Schema
  /** What OpenAPI 3.2 calls itemSchema: each line of a body, or each event of a stream. */
  readonly 'x-itemSchema'?: Schema
  readonly examples?: Examples | undefined
}

export interface ResponseSpec {
  readonly description: string
  readonly headers?: Readonly<Record<string, { readonly description: string; readonly schema: Schema }>>
  readonly content?: Readonly<Record<string, Media>>
}

type OptionalKeys<T> = { [K in keyof T]-?: undefined extends T[K] ? K : never }[keyof T]

/** Returns the schema of an object type. A member that is missing here, or that the type lacks, does not compile. */
export function objectOf<T extends object>(
  members: { readonly [K in keyof T]-?: Schema },
  ...optional: readonly OptionalKeys<T>[]
): Schema {
  const required = Object.keys(members).filter((name) => !(optional as readonly string[]).includes(name))
  return { type: 'object', properties: members, ...(required.length > 0 && { required }) }
}

export const text: Schema = { type: 'string' }
export const flag: Schema = { type: 'boolean' }
export const count: Schema = { type: 'integer', minimum: 0 }
export const number: Schema = { type: 'number' }

export function listOf(items: Schema): Schema {
  return { type: 'array', items }
}

export function oneOf(...schemas: readonly Schema[]): Schema {
  return { oneOf: schemas }
}

export function enumOf(values: readonly unknown[]): Schema {
  return { enum: values }
}

/** @param schema with one type */
export function orNull(schema: Schema): Schema {
  return { ...schema, type: [schema['type'], 'null'] }
}

export function described(description: string, schema: Schema): Schema {
  return { ...schema, description }
}

/** Refers to a schema of schemas.ts. */
export function ref(name: string): Schema {
  return { $ref: `#/components/schemas/${name}` }
}

/** Names the values of one example each. */
export function examplesOf(values: Readonly<Record<string, unknown>>): Examples {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { value }]))
}
