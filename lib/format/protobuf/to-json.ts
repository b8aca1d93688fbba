/**
 * Converts a decoded message to ProtoJSON (https://protobuf.dev/programming-guides/json/), with two differences: 64-bit
 * integers are numbers if JSON represents them exactly, and an Any of an unknown message shows its bytes.
 */
import protobuf from 'protobufjs'
import protojson from 'protobufjs/ext/protojson.js'
import type { Json } from '../codec.ts'
import { base64Of } from '../simple/base64.ts'
import { shortestFloat } from '../simple/floats.ts'
import type { MessageFields } from './from-json.ts'
import type { Messages } from './message-types.ts'
import { WireReader } from './wire-reader.ts'

/** Maximum depth of Any within Any. When decoding, the library limits all other nesting. */
const anyDepthMax = 16
const floatMax = 3.4028234663852886e38

type Writer = (value: unknown) => Json
type FieldWriter = (message: MessageFields, json: Record<string, Json>) => void

const noBytes = new Uint8Array(0)
const structural = ['Timestamp', 'Duration', 'FieldMask', 'Struct', 'Value', 'ListValue']
/** Messages with a special JSON form, which the library writes. */
const wellKnown = new Set(structural.map((name) => `.google.protobuf.${name}`))
const wrapper = /^\.google\.protobuf\.(Double|Float|U?Int64|U?Int32|Bool|String|Bytes)Value$/

/** @param messages messages that an Any may hold */
export function jsonWriterOf(type: protobuf.Type, messages: Messages): (message: object) => Json {
  const writers = new Map<protobuf.Type, Writer>()
  let anyDepth = 0
  return ofMessage(type)

  function ofMessage(message: protobuf.Type): Writer {
    const known = writers.get(message)
    if (known) return known
    if (wellKnown.has(message.fullName)) return (value) => protojson.toJson(message, value as MessageFields) as Json
    if (message.fullName === '.google.protobuf.Any') return anyJson
    if (wrapper.test(message.fullName)) return ofWrapper(message.fields['value']!.resolve())
    const fields: FieldWriter[] = []
    const writer: Writer = (value) => {
      const json: Record<string, Json> = {}
      for (const field of fields) field(value as MessageFields, json)
      return json
    }
    // Set before the fields, because a field may have this message's type.
    writers.set(message, writer)
    for (const field of message.fieldsArray) fields.push(ofField(field.resolve()))
    return writer
  }

  function ofField(field: protobuf.Field): FieldWriter {
    const { name } = field
    const jsonName = jsonNameOf(field)
    const write = ofSingular(field)
    if (field instanceof protobuf.MapField) {
      const keyText = mapKeyText(field)
      return (message, json) => {
        const entries = Object.entries((message[name] ?? {}) as MessageFields)
        // fromEntries defines members, so that __proto__ is an ordinary key.
        if (entries.length > 0) {
          json[jsonName] = Object.fromEntries(entries.map(([key, value]) => [keyText(key), write(value)]))
        }
      }
    }
    if (field.repeated) {
      return (message, json) => {
        const values = message[name] as unknown[] | undefined
        if (values && values.length > 0) json[jsonName] = values.map(write)
      }
    }
    const { hasPresence, required } = field
    return (message, json) => {
      // A member that a message lacks has its default in the prototype. Decoding leaves out a field without presence
      // that is 0, but keeps -0: that is left out here.
      if (!Object.hasOwn(message, name) || (!hasPresence && message[name] === 0)) {
        // Decoding has checked this, except for a message that a map entry leaves out.
        if (required) throw new Error(`missing required '${name}'`)
        return
      }
      json[jsonName] = write(message[name])
    }
  }

  function ofSingular(field: protobuf.Field): Writer {
    if (field.resolvedType instanceof protobuf.Type) return ofMessage(field.resolvedType)
    if (field.resolvedType instanceof protobuf.Enum) return ofEnum(field.resolvedType)
    return scalarWriters[field.type] ?? ((value) => value as Json)
  }

  function ofWrapper(field: protobuf.Field): Writer {
    const write = ofSingular(field)
    return (message) => write((message as MessageFields)[field.name] ?? field.defaultValue)
  }

  function anyJson(value: unknown): Json {
    const { type_url: url = '', value: given } = value as { type_url?: string; value?: unknown }
    if (url === '') return {}
    const bytes = bytesOf(given)
    const held = messages.get(url.slice(url.lastIndexOf('/') + 1))
    if (held === undefined) return { '@type': url, value: base64Of(bytes) }
    if (anyDepth >= anyDepthMax) {
      throw new Error(`it has more than ${anyDepthMax} google.protobuf.Any within each other`)
    }
    anyDepth++
    try {
      const json = ofMessage(held)(held.decode(new WireReader(bytes)))
      const isSpecial =
        /^\.google\.protobuf\.(Any|Empty)$/.test(held.fullName) ||
        wellKnown.has(held.fullName) ||
        wrapper.test(held.fullName)
      return isSpecial ? { '@type': url, value: json } : { '@type': url, ...(json as Record<string, Json>) }
    } finally {
      anyDepth--
    }
  }
}

const scalarWriters: Record<string, Writer> = {
  ...Object.fromEntries(['int64', 'sint64', 'sfixed64', 'uint64', 'fixed64'].map((type) => [type, jsonOfLong])),
  double: jsonOfDouble,
  float: jsonOfFloat,
  bytes: (value) => base64Of(bytesOf(value)),
}

/** The library's default of bytes is an array. A map, a wrapper or an Any without a value has it. */
function bytesOf(value: unknown): Uint8Array {
  return value instanceof Uint8Array ? value : noBytes
}

function ofEnum(type: protobuf.Enum): Writer {
  if (type.fullName === '.google.protobuf.NullValue') return () => null
  return (value) => type.valuesById[value as number] ?? (value as number)
}

/** @param value a Long of the library, or the number 0 of a default */
function jsonOfLong(value: unknown): number | string {
  const number = typeof value === 'number' ? value : (value as { toNumber(): number }).toNumber()
  return Number.isSafeInteger(number) ? number : String(value)
}

function jsonOfDouble(value: unknown): number | string {
  // JSON has no -0: the addition makes it 0.
  return Number.isFinite(value) ? (value as number) + 0 : String(value)
}

function jsonOfFloat(value: unknown): number | string {
  const short = shortestFloat(value as number)
  // The shortest decimal of the largest float is larger than the float, and readers would refuse it.
  return jsonOfDouble(Math.abs(short) <= floatMax ? short : value)
}

function jsonNameOf(field: protobuf.Field): string {
  // An extension of proto2 has its full name in brackets.
  if (field.declaringField) return `[${field.declaringField.fullName.slice(1)}]`
  return field.jsonName ?? field.name
}

/**
 * In a decoded map, a 64-bit key is a string of eight characters that hold its bits and may look like digits. "0"
 * stands for a key that was left out.
 */
function mapKeyText(field: protobuf.MapField): (key: string) => string {
  const isUnsigned = field.keyType === 'uint64' || field.keyType === 'fixed64'
  const isLong = isUnsigned || ['int64', 'sint64', 'sfixed64'].includes(field.keyType)
  if (!isLong) return (key) => key
  return (key) => (key === '0' ? key : String(protobuf.util.longFromHash(key, isUnsigned)))
}
