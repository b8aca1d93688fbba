/**
 * Converts ProtoJSON to a message that can be encoded. The library checks the JSON; this file completes what the
 * library does not check.
 */
import protobuf from 'protobufjs'
import protojson from 'protobufjs/ext/protojson.js'
import type { Json } from '../codec.ts'

const messageLengthMax = 300

export type MessageFields = Record<string, unknown>

/** @returns a function that throws Error if the JSON is not such a message, with the place */
export function jsonReaderOf(type: protobuf.Type): (json: Json) => protobuf.Message {
  const needsCompletion = reachableFrom(type).some((message) =>
    message.fieldsArray.some((field) => field.required || field.map),
  )
  return (json) => {
    const message = read(type, json)
    if (needsCompletion) complete(type, message as unknown as MessageFields, '')
    return message
  }
}

function read(type: protobuf.Type, json: Json): protobuf.Message {
  try {
    return protojson.fromJson(type, json)
  } catch (error) {
    const found = (error as Error).message.replace(/^\./, '')
    throw new Error(`it must be ${type.fullName.slice(1)} as JSON: ${found.slice(0, messageLengthMax)}`, {
      cause: error,
    })
  }
}

/** Checks that required fields are present, and sorts maps by key, so that equal messages give equal bytes. */
function complete(type: protobuf.Type, message: MessageFields, path: string): void {
  for (const field of type.fieldsArray) {
    const { name } = field
    if (!Object.hasOwn(message, name)) {
      if (field.required) throw new Error(`it must be ${type.fullName.slice(1)} as JSON: ${path}${name} is required`)
      continue
    }
    if (field.map) message[name] = sorted(message[name] as MessageFields)
    if (!(field.resolvedType instanceof protobuf.Type)) continue
    for (const nested of valuesOf(field, message[name])) complete(field.resolvedType, nested, `${path}${name}.`)
  }
}

function valuesOf(field: protobuf.Field, value: unknown): MessageFields[] {
  if (field.map) return Object.values(value as Record<string, MessageFields>)
  return field.repeated ? (value as MessageFields[]) : [value as MessageFields]
}

/** The result has no prototype, so that __proto__ is an ordinary key. */
function sorted(map: MessageFields): MessageFields {
  const result = Object.create(null) as MessageFields
  for (const key of Object.keys(map).toSorted()) result[key] = map[key]
  return result
}

function reachableFrom(type: protobuf.Type): protobuf.Type[] {
  const reached = new Set([type])
  // The iteration includes messages that are added during the loop.
  for (const message of reached) {
    for (const field of message.fieldsArray) {
      const { resolvedType } = field.resolve()
      if (resolvedType instanceof protobuf.Type) reached.add(resolvedType)
    }
  }
  return [...reached]
}
