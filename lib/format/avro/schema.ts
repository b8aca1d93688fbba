/** Parses a schema in JSON, from a file or a registry, into types that read and write values. */
import { withoutBom } from '../../text/bom.ts'
import type { Json } from '../codec.ts'
import { withLogicalType } from './logical.ts'
import { enumType, fixedType, primitives } from './primitives.ts'
import { arrayType, mapType, RecordType } from './structures.ts'
import { type AvroType, type Members, shapeOf } from './type.ts'
import { unionType } from './union.ts'

const depthMax = 200
const fixedSizeMax = 2 ** 31 - 1

/** Named types by full name: those of the schema itself and of the schemas that it refers to. */
export type NamedTypes = Map<string, AvroType>

/**
 * @param text the schema in JSON
 * @param names gets the named types of the schema
 * @throws Error that says what is wrong with the schema
 */
export function avroTypeOf(text: string, names: NamedTypes = new Map()): AvroType {
  return new SchemaParser(names).parse(jsonOf(text), '', 0)
}

function jsonOf(text: string): Json {
  try {
    return JSON.parse(withoutBom(text)) as Json
  } catch {
    // Some registries return the name of a primitive type without quotation marks.
    if (primitives.has(text.trim())) return text.trim()
    throw new Error('it is not JSON')
  }
}

class SchemaParser {
  readonly #names: NamedTypes

  constructor(names: NamedTypes) {
    this.#names = names
  }

  parse(schema: Json, namespace: string, depth: number): AvroType {
    if (depth > depthMax) throw new Error(`it is nested more than ${depthMax} deep`)
    if (typeof schema === 'string') return this.#named(schema, namespace)
    if (Array.isArray(schema)) return this.#union(schema, namespace, depth)
    if (shapeOf(schema) !== 'object') throw new Error(`a type is ${JSON.stringify(schema)}`)
    const members = schema as Members
    const kind = own(members, 'type')
    if (typeof kind !== 'string') {
      if (kind === undefined) throw new Error(`a type has no "type": ${shortened(schema)}`)
      return this.parse(kind, namespace, depth + 1)
    }
    return this.#ofKind(kind, members, namespace, depth)
  }

  #ofKind(kind: string, schema: Members, namespace: string, depth: number): AvroType {
    switch (kind) {
      case 'record':
      case 'error':
        return this.#record(schema, namespace, depth)
      case 'enum': {
        const name = fullName(schema, namespace)
        return this.#define(name, enumType(name, symbolsOf(schema, name)))
      }
      case 'fixed': {
        const name = fullName(schema, namespace)
        const size = own(schema, 'size')
        if (!Number.isInteger(size) || (size as number) < 0 || (size as number) > fixedSizeMax) {
          throw new Error(`fixed ${name} has size ${JSON.stringify(size)}`)
        }
        return this.#define(name, withLogicalType(fixedType(name, size as number), kind, schema))
      }
      case 'array':
        return arrayType(this.parse(required(schema, 'items', 'an array'), namespace, depth + 1))
      case 'map':
        return mapType(this.parse(required(schema, 'values', 'a map'), namespace, depth + 1))
      default: {
        const type = this.#named(kind, namespace)
        return primitives.has(kind) ? withLogicalType(type, kind, schema) : type
      }
    }
  }

  #record(schema: Members, namespace: string, depth: number): AvroType {
    const name = fullName(schema, namespace)
    const record = new RecordType(name)
    this.#define(name, record)
    const fields = own(schema, 'fields')
    if (!Array.isArray(fields)) throw new Error(`record ${name} has no array "fields"`)
    const inner = name.slice(0, Math.max(0, name.lastIndexOf('.')))
    const seen = new Set<string>()
    const parsed = (fields as readonly Json[]).map((field) => {
      const fieldName = shapeOf(field) === 'object' ? own(field as Members, 'name') : undefined
      if (typeof fieldName !== 'string') throw new Error(`a field of record ${name} has no name`)
      if (seen.has(fieldName)) throw new Error(`record ${name} has two fields ${fieldName}`)
      seen.add(fieldName)
      const members = field as Members
      const type = this.parse(required(members, 'type', `field ${fieldName} of record ${name}`), inner, depth + 1)
      return { name: fieldName, type, defaultJson: own(members, 'default') }
    })
    record.setFields(parsed)
    return record
  }

  #union(schema: readonly Json[], namespace: string, depth: number): AvroType {
    if (schema.length === 0) throw new Error('a union has no branches')
    const branches = schema.map((branch) => this.parse(branch, namespace, depth + 1))
    const seen = new Set<string>()
    for (const { name, shape } of branches) {
      if (shape === 'any') throw new Error('a union has a union as its branch')
      if (seen.has(name)) throw new Error(`a union has two branches ${name}`)
      seen.add(name)
    }
    return unionType(branches)
  }

  #named(name: string, namespace: string): AvroType {
    const type =
      primitives.get(name) ??
      this.#names.get(name.includes('.') || namespace === '' ? name : `${namespace}.${name}`) ??
      this.#names.get(name)
    if (type === undefined) throw new Error(`type ${JSON.stringify(name)} is not defined`)
    return type
  }

  #define(name: string, type: AvroType): AvroType {
    if (this.#names.has(name) || primitives.has(name)) throw new Error(`type ${name} is defined twice`)
    this.#names.set(name, type)
    return type
  }
}

/** Returns the full name of a type. A name with dots is already a full name; `namespace` is then ignored. */
function fullName(schema: Members, enclosing: string): string {
  const name = own(schema, 'name')
  if (typeof name !== 'string' || name === '') throw new Error(`a type has no name: ${shortened(schema)}`)
  if (name.includes('.')) return name.replace(/^\./, '')
  const given = own(schema, 'namespace')
  const namespace = typeof given === 'string' ? given : enclosing
  return namespace === '' ? name : `${namespace}.${name}`
}

function symbolsOf(schema: Members, name: string): readonly string[] {
  const symbols = own(schema, 'symbols')
  const areNames = Array.isArray(symbols) && symbols.length > 0 && symbols.every((symbol) => typeof symbol === 'string')
  if (!areNames || new Set(symbols).size < symbols.length) throw new Error(`enum ${name} has no distinct symbols`)
  return symbols
}

function required(schema: Members, member: string, what: string): Json {
  const json = own(schema, member)
  if (json === undefined) throw new Error(`${what} has no "${member}"`)
  return json
}

function own(schema: Members, member: string): Json | undefined {
  return Object.hasOwn(schema, member) ? schema[member] : undefined
}

function shortened(json: Json): string {
  const text = JSON.stringify(json)
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}
