/** Records, arrays and maps. */
import type { Json } from '../codec.ts'
import { Mismatch } from './mismatch.ts'
import type { AvroReader } from './reader.ts'
import { type AvroType, membersOf, setMember } from './type.ts'
import { AvroWriter, defaultBytesMax } from './writer.ts'

interface Field {
  readonly name: string
  readonly type: AvroType
  /** Default as in the schema; undefined if there is none. */
  readonly defaultJson: Json | undefined
}

/** A record. Its fields are set after its name is known, because they may refer to it. */
export class RecordType implements AvroType {
  readonly name: string
  readonly shape = 'object'
  #fields: readonly Field[] = []
  readonly #fieldNames = new Set<string>()
  /** Encoded defaults, added when first needed. */
  readonly #defaults = new Map<Field, Uint8Array>()

  constructor(name: string) {
    this.name = name
  }

  setFields(fields: readonly Field[]): void {
    this.#fields = fields
    for (const { name } of fields) this.#fieldNames.add(name)
  }

  read(input: AvroReader): Json {
    input.item()
    input.enter()
    const members: Record<string, Json> = {}
    for (const { name, type } of this.#fields) setMember(members, name, type.read(input))
    input.leave()
    return members
  }

  write(output: AvroWriter, json: Json): void {
    const members = membersOf(json, `it must be an object, of record ${this.name}`)
    if (output.isStrict) this.#refuseUnknown(Object.keys(members))
    output.enter()
    for (const field of this.#fields) {
      const value = Object.hasOwn(members, field.name) ? members[field.name] : undefined
      if (value === undefined) output.fixed(this.#defaultOf(field))
      else this.#writeField(output, field, value)
    }
    output.leave()
  }

  /** The default of a record may lack members that have defaults themselves. `write` fills them in. */
  ofDefault(json: Json): Json {
    const given = membersOf(json, `it must be an object, of record ${this.name}`)
    const members: Record<string, Json> = {}
    for (const { name, type } of this.#fields) {
      if (Object.hasOwn(given, name)) setMember(members, name, type.ofDefault(given[name]!))
    }
    return members
  }

  #writeField(output: AvroWriter, { name, type }: Field, value: Json): void {
    try {
      type.write(output, value)
    } catch (error) {
      throw Mismatch.within(error, `.${name}`)
    }
  }

  #defaultOf(field: Field): Uint8Array {
    const known = this.#defaults.get(field)
    if (known !== undefined) return known
    const { name, type, defaultJson } = field
    if (defaultJson === undefined) throw new Mismatch(`it must have ${JSON.stringify(name)}`)
    try {
      const bytes = new AvroWriter(defaultBytesMax).all(false, (output) =>
        type.write(output, type.ofDefault(defaultJson)),
      )
      this.#defaults.set(field, bytes)
      return bytes
    } catch {
      throw new Mismatch(`it must have ${JSON.stringify(name)}, whose default in the schema is not such a value`)
    }
  }

  #refuseUnknown(names: readonly string[]): void {
    const unknown = names.find((name) => !this.#fieldNames.has(name))
    if (unknown === undefined) return
    throw new Mismatch(`it must have no ${JSON.stringify(unknown)}, which record ${this.name} does not have`)
  }
}

export function arrayType(items: AvroType): AvroType {
  return {
    name: 'array',
    shape: 'array',
    read(input) {
      input.enter()
      const array: Json[] = []
      input.items(() => array.push(items.read(input)))
      input.leave()
      return array
    },
    write(output, json) {
      if (!Array.isArray(json)) throw new Mismatch('it must be an array')
      output.enter()
      if (json.length > 0) output.long(json.length)
      for (const [index, item] of (json as readonly Json[]).entries()) writePart(output, items, item, `[${index}]`)
      output.long(0)
      output.leave()
    },
    ofDefault(json) {
      if (!Array.isArray(json)) throw new Mismatch('it must be an array')
      return (json as readonly Json[]).map((item) => items.ofDefault(item))
    },
  }
}

/** Writes members in the order of their names, so that equal maps have equal bytes. */
export function mapType(values: AvroType): AvroType {
  return {
    name: 'map',
    shape: 'object',
    read(input) {
      input.enter()
      const members: Record<string, Json> = {}
      input.items(() => {
        const name = input.string()
        setMember(members, name, values.read(input))
      })
      input.leave()
      return members
    },
    write(output, json) {
      const members = membersOf(json, 'it must be an object')
      output.enter()
      const names = Object.keys(members)
        .filter((name) => members[name] !== undefined)
        .toSorted()
      if (names.length > 0) output.long(names.length)
      for (const name of names) {
        output.string(name)
        writePart(output, values, members[name]!, `.${name}`)
      }
      output.long(0)
      output.leave()
    },
    ofDefault(json) {
      const members: Record<string, Json> = {}
      for (const [name, value] of Object.entries(membersOf(json, 'it must be an object'))) {
        setMember(members, name, values.ofDefault(value))
      }
      return members
    },
  }
}

function writePart(output: AvroWriter, type: AvroType, json: Json, step: string): void {
  try {
    type.write(output, json)
  } catch (error) {
    throw Mismatch.within(error, step)
  }
}
