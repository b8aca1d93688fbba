/**
 * Messages of .proto files by full name. Replaces the library's index, which keeps every name that was ever looked up.
 */
import protobuf from 'protobufjs'
import { formatFault } from '../format-fault.ts'

const shownMax = 10

export type Messages = ReadonlyMap<string, protobuf.Type>

export function messagesOf(root: protobuf.Root): Messages {
  const messages = new Map<string, protobuf.Type>()
  collect(root, messages)
  // The JSON form of an Any names a message. That name comes from outside, so the library's own lookup must not keep
  // it.
  root.lookupType = (path) => {
    const message = typeof path === 'string' ? messages.get(path) : undefined
    if (message === undefined) throw new Error(`no message ${String(path)} is known here`)
    return message
  }
  return messages
}

/** @throws LatchkeyError invalid_settings that lists the existing messages, likely ones first */
export function messageNamed(name: string, messages: Messages): protobuf.Type {
  const message = messages.get(name.replace(/^\./, ''))
  if (message) return message
  const own = [...messages.keys()].filter((known) => !known.startsWith('google.protobuf.'))
  const sorted = [...own.filter((known) => isNear(known, name)), ...own.filter((known) => !isNear(known, name))]
  const shown = sorted.slice(0, shownMax).join(', ')
  const rest = sorted.length > shownMax ? ` and ${sorted.length - shownMax} more` : ''
  const there = own.length === 0 ? 'there is none' : `there are ${shown}${rest}`
  throw formatFault('protobuf', 'message', `no message has this full name: ${there}`)
}

function collect(namespace: protobuf.NamespaceBase, messages: Map<string, protobuf.Type>): void {
  for (const nested of namespace.nestedArray) {
    keepName(nested)
    if (nested instanceof protobuf.Type) for (const field of nested.fieldsArray) keepName(field)
    if (nested instanceof protobuf.Type) messages.set(nested.fullName.replace(/^\./, ''), nested)
    if (nested instanceof protobuf.Namespace) collect(nested, messages)
  }
}

/**
 * Caches the full name of an object. The library computes it at each access, which is once for each field of each JSON
 * that it reads.
 */
function keepName(object: protobuf.ReflectionObject): void {
  Object.defineProperty(object, 'fullName', { value: object.fullName })
}

/** Whether the last part of one name begins or ends with the last part of the other, case-insensitive. */
function isNear(known: string, name: string): boolean {
  const [left, right] = [simpleName(known), simpleName(name)]
  return left.startsWith(right) || right.startsWith(left) || left.endsWith(right) || right.endsWith(left)
}

function simpleName(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1).toLowerCase()
}
