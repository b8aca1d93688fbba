/** Messages with a field of every type in every place that a field can have, in proto2, proto3 and an edition. */

export const scalars = [
  'double',
  'float',
  'int32',
  'int64',
  'uint32',
  'uint64',
  'sint32',
  'sint64',
  'fixed32',
  'fixed64',
  'sfixed32',
  'sfixed64',
  'bool',
  'string',
  'bytes',
] as const
const mapKeys = scalars.filter((type) => !['double', 'float', 'bytes'].includes(type))
const wrappers = ['Double', 'Float', 'Int64', 'UInt64', 'Int32', 'UInt32', 'Bool', 'String', 'Bytes']
const structural = ['Timestamp', 'Duration', 'FieldMask', 'Struct', 'Value', 'ListValue', 'Empty', 'Any']
const google = [...wrappers.map((name) => `${name}Value`), ...structural].map((name) => `google.protobuf.${name}`)
const imports = ['any', 'duration', 'empty', 'field_mask', 'struct', 'timestamp', 'wrappers']

export interface Field {
  readonly id: number
  /** A scalar, or the full name of a message or an enum. */
  readonly type: string
  readonly place: 'one' | 'many' | 'map' | 'group' | 'groups'
  /** Of a map. */
  readonly keyType?: string
}

export interface MessageSchema {
  readonly name: string
  readonly fields: readonly Field[]
}

/** Of each message, by its full name, Google's included. */
export const messages = new Map<string, MessageSchema>()
/** Numbers that an enum has. */
export const enums: Readonly<Record<string, readonly number[]>> = {
  'd3.E': [0, 1, -1],
  'd2.E': [1, 2, 0],
  'd2.Zero': [0, 1],
  'd23.E': [0, 1],
  'd23.Closed': [5, 6],
  'google.protobuf.NullValue': [0],
}

/** Puts together the text of a message and what is to be known of its fields. */
class MessageText {
  readonly #lines: string[] = []
  readonly #fields: Field[] = []
  readonly #name: string
  #nextId = 1

  constructor(name: string) {
    this.#name = name
  }

  one(label: string, type: string, options = ''): this {
    return this.#add(`${label} ${type}`, { type, place: 'one' }, options)
  }

  many(type: string, options = ''): this {
    return this.#add(`repeated ${type}`, { type, place: 'many' }, options)
  }

  map(keyType: string, type: string): this {
    return this.#add(`map<${keyType}, ${type}>`, { type, place: 'map', keyType })
  }

  /** proto2 group: it defines its own message. */
  group(label: 'optional' | 'repeated', name: string): this {
    const id = this.#nextId++
    const type = `${this.#name}.${name}`
    this.#lines.push(`${label} group ${name} = ${id} { optional bytes b = 1; repeated ${name} again = 2; }`)
    this.#fields.push({ id, type, place: label === 'optional' ? 'group' : 'groups' })
    messages.set(type, {
      name: type,
      fields: [
        { id: 1, type: 'bytes', place: 'one' },
        { id: 2, type, place: 'many' },
      ],
    })
    return this
  }

  oneof(types: readonly string[], name = 'choice'): this {
    this.#lines.push(`oneof ${name} {`)
    for (const type of types) this.one('', type)
    this.#lines.push('}')
    return this
  }

  line(text: string): this {
    this.#lines.push(text)
    return this
  }

  /** Known of, written elsewhere. */
  known(field: Field): this {
    this.#fields.push(field)
    return this
  }

  text(): string {
    messages.set(this.#name, { name: this.#name, fields: this.#fields })
    return `message ${this.#name.split('.').at(-1)} {\n${this.#lines.join('\n')}\n}\n`
  }

  #add(declared: string, { type, place, keyType }: Omit<Field, 'id'>, options = ''): this {
    const id = this.#nextId++
    this.#lines.push(`${declared} f${id}_${shortOf(type)} = ${id}${options};`)
    const inGroup = place === 'one' ? 'group' : 'groups'
    const encoded = options.includes('DELIMITED') ? inGroup : place
    this.#fields.push({ id, type, place: encoded, ...(keyType !== undefined && { keyType }) })
    return this
  }
}

function shortOf(type: string): string {
  return type.split('.').at(-1)!.toLowerCase()
}

function isPackable(type: string): boolean {
  return !['string', 'bytes'].includes(type)
}

const header = imports.map((name) => `import "google/protobuf/${name}.proto";`).join('\n')

function proto3(): string {
  const own = ['d3.E', 'd3.All']
  const all = new MessageText('d3.All')
  for (const type of [...scalars, ...own]) all.one('', type).one('optional', type).many(type).map('string', type)
  for (const type of scalars.filter(isPackable)) all.many(type, ' [packed = false]')
  for (const type of mapKeys) all.map(type, 'bytes')
  for (const type of google) all.one('', type).many(type).map('int32', type)
  all.oneof([...scalars, ...own, ...google, 'google.protobuf.NullValue'])
  return `syntax = "proto3"; package d3; ${header}\nenum E { ZERO = 0; ONE = 1; MINUS = -1; }\n${all.text()}`
}

function proto2(): string {
  const own = ['d2.E', 'd2.All']
  const all = new MessageText('d2.All')
  for (const type of [...scalars, ...own]) all.one('optional', type).many(type)
  // protoc wants 0 first in the enum of a map.
  for (const type of [...scalars, 'd2.Zero', 'd2.All']) all.map('string', type)
  for (const type of scalars.filter(isPackable)) all.many(type, ' [packed = true]')
  for (const type of mapKeys) all.map(type, 'd2.Zero')
  const defaults = { bytes: '"\\001x"', string: '"text"', bool: 'true', double: 'inf', 'd2.E': 'TWO' }
  for (const type of [...scalars, 'd2.E']) {
    all.one('optional', type, ` [default = ${(defaults as Record<string, string>)[type] ?? '7'}]`)
  }
  all.one('optional', 'd2.Required').many('d2.Required').map('int64', 'd2.Required')
  all
    .group('optional', 'MyGroup')
    .group('repeated', 'ITEM')
    .oneof([...scalars, ...own])
  all.line('extensions 1000 to 2000;')
  let id = 1_000
  const extensions: string[] = []
  for (const type of [...scalars, ...own]) {
    for (const label of ['optional', 'repeated']) {
      extensions.push(`${label} ${type} x${id}_${shortOf(type)} = ${id};`)
      all.known({ id, type, place: label === 'optional' ? 'one' : 'many' })
      id++
    }
  }
  const required = new MessageText('d2.Required').one('required', 'bytes').one('required', 'd2.E')
  const extend = `extend All {\n${extensions.join('\n')}\n}\n`
  return `syntax = "proto2"; package d2; enum E { ONE = 1; TWO = 2; ZERO = 0; }\nenum Zero { NONE = 0; SOME = 1; }\n${all.text()}${required.text()}${extend}`
}

function edition(): string {
  const implicit = ' [features.field_presence = IMPLICIT]'
  const delimited = ' [features.message_encoding = DELIMITED]'
  const own = ['d23.E', 'd23.Closed', 'd23.All']
  const all = new MessageText('d23.All')
  for (const type of [...scalars, ...own]) all.one('', type).many(type)
  for (const type of [...scalars, 'd23.E', 'd23.All']) all.map('uint64', type)
  for (const type of [...scalars, 'd23.E']) all.one('', type, implicit)
  for (const type of scalars.filter(isPackable)) all.many(type, ' [features.repeated_field_encoding = EXPANDED]')
  all.one('', 'd23.Group', delimited).many('d23.Group', delimited)
  const group = new MessageText('d23.Group').one('', 'bytes').one('', 'd23.Closed')
  const texts = `enum E { ZERO = 0; ONE = 1; }\nenum Closed { option features.enum_type = CLOSED; FIVE = 5; SIX = 6; }\n`
  const text = `edition = "2023"; package d23;\n${texts}${all.text()}${group.text()}`
  return text
}

function googleMessage(name: string, ...fields: [type: string, place?: Field['place'], keyType?: string][]): void {
  messages.set(`google.protobuf.${name}`, {
    name,
    fields: fields.map(([type, place = 'one', keyType], index) => ({
      id: index + 1,
      type,
      place,
      ...(keyType !== undefined && { keyType }),
    })),
  })
}

for (const name of wrappers) googleMessage(`${name}Value`, [name.toLowerCase()])
googleMessage('Timestamp', ['int64'], ['int32'])
googleMessage('Duration', ['int64'], ['int32'])
googleMessage('FieldMask', ['string', 'many'])
googleMessage('Struct', ['google.protobuf.Value', 'map', 'string'])
googleMessage(
  'Value',
  ['google.protobuf.NullValue'],
  ['double'],
  ['string'],
  ['bool'],
  ['google.protobuf.Struct'],
  ['google.protobuf.ListValue'],
)
googleMessage('ListValue', ['google.protobuf.Value', 'many'])
googleMessage('Empty')
googleMessage('Any', ['string'], ['bytes'])

/** By their names. */
export const files: Readonly<Record<string, string>> = {
  'd3.proto': proto3(),
  'd2.proto': proto2(),
  'd23.proto': edition(),
}
export const roots = ['d3.All', 'd2.All', 'd23.All']
