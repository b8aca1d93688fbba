/**
 * Protocol Buffers in a registry's wire format. Numbers before the message locate its definition in the schema, from
 * the top level inwards: a count, then the indexes, all zigzag varints. A single 0 stands for the first message.
 */
import protobuf from 'protobufjs'
import { LatchkeyError, messageOf } from '../../errors.ts'
import type { Codec, Json } from '../codec.ts'
import { codecOfMessage } from '../protobuf.ts'
import { parseProtos } from '../protobuf/load.ts'
import { type Messages, messagesOf } from '../protobuf/message-types.ts'
import { parseProto } from '../protobuf/parse.ts'

const nestingMax = 100

export interface ProtobufSchema {
  /** Codec of the schema's first message. */
  readonly codecOfFirst: Codec<Json>
  /** @param bytes begin with the indexes of the message */
  decode(bytes: Uint8Array): Json
}

/** @throws Error that says what is wrong with the schema */
export function protobufSchema(text: string, references: ReadonlyMap<string, string>): ProtobufSchema {
  const messages = messagesOfAll(text, references)
  const topLevel = topLevelOf(text)
  const codecs = new Map<string, Codec<Json>>()

  function codecAt(path: readonly number[]): Codec<Json> {
    const name = nameAt(topLevel, path)
    let codec = codecs.get(name)
    if (codec === undefined) codecs.set(name, (codec = codecOfMessage(messages.get(name)!, messages)))
    return codec
  }

  return {
    codecOfFirst: codecAt([0]),
    decode(bytes) {
      const { path, length } = pathOf(bytes)
      return codecAt(path).decode(bytes.subarray(length))
    },
  }
}

function messagesOfAll(text: string, references: ReadonlyMap<string, string>): Messages {
  const texts = new Map([...references, ['the schema', text]])
  try {
    return messagesOf(parseProtos(texts))
  } catch (error) {
    const found = error instanceof LatchkeyError ? error.details['found'] : undefined
    throw new Error(typeof found === 'string' ? found : messageOf(error), { cause: error })
  }
}

/** Returns the definitions of the schema's own file, in their order, without those of imports. */
function topLevelOf(text: string): protobuf.NamespaceBase {
  const root = new protobuf.Root()
  const { package: name } = parseProto(text, root)
  let namespace: protobuf.NamespaceBase = root
  for (const part of name?.split('.') ?? []) {
    const inner = namespace.get(part)
    if (inner instanceof protobuf.Namespace) namespace = inner
  }
  return namespace
}

function nameAt(topLevel: protobuf.NamespaceBase, path: readonly number[]): string {
  let namespace = topLevel
  for (const number of path) {
    const message = namespace.nestedArray.filter((nested) => nested instanceof protobuf.Type)[number]
    if (message === undefined) throw new Error(`the schema has no message at ${path.join('.')}`)
    namespace = message
  }
  return namespace.fullName.slice(1)
}

/** @returns the indexes, and the number of bytes that they take */
function pathOf(bytes: Uint8Array): { path: readonly number[]; length: number } {
  let position = 0
  const count = next()
  if (count === 0) return { path: [0], length: position }
  if (count < 0 || count > nestingMax) throw new Error(`the numbers of its message are ${count}`)
  const path = Array.from({ length: count }, next)
  return { path, length: position }

  function next(): number {
    let zigzag = 0
    for (let shift = 0; shift < 32; shift += 7) {
      const byte = bytes[position++]
      if (byte === undefined) break
      zigzag |= (byte & 0x7f) << shift
      if (byte < 0x80) return (zigzag >>> 1) ^ -(zigzag & 1)
    }
    throw new Error('the numbers of its message do not end')
  }
}
