/**
 * Protocol Buffers. In a program a message is its JSON form: modules get and return what a lookup shows.
 * Decoding ignores fields that the schema does not have. A conversion therefore loses them; bytes that are stored
 * unchanged keep them.
 */
import protobuf from 'protobufjs'
import type { Codec, Json } from './codec.ts'
import type { FormatSpec } from './formats-config.ts'
import { jsonReaderOf } from './protobuf/from-json.ts'
import { loadProtos } from './protobuf/load.ts'
import { messageNamed, type Messages, messagesOf } from './protobuf/message-types.ts'
import { jsonWriterOf } from './protobuf/to-json.ts'
import { WireReader } from './protobuf/wire-reader.ts'
import { canonicalJson } from './simple/canonical-json.ts'
import { parseJson } from './simple/json.ts'

/** Limits the library's error messages, which may quote their input. */
const reasonLengthMax = 300

/** @throws LatchkeyError invalid_settings: a file that cannot be read or is malformed, a message that is not in it */
export function protobufCodec({ file, include, message }: FormatSpec & { format: 'protobuf' }): Codec<Json> {
  const messages = messagesOf(loadProtos(file, include))
  return codecOfMessage(messageNamed(message, messages), messages)
}

/** @param messages messages that a google.protobuf.Any may hold */
export function codecOfMessage(type: protobuf.Type, messages: Messages): Codec<Json> {
  const fullName = type.fullName.slice(1)
  const read = jsonReaderOf(type)
  const write = jsonWriterOf(type, messages)
  const encode = (json: Json): Uint8Array => type.encode(read(json), new protobuf.Writer()).finish()
  // Goes through bytes: the library represents 64-bit keys of a map differently in a message from JSON than in a
  // decoded one.
  const fromJson = (json: Json): Json => decode(encode(json))
  return {
    name: `protobuf ${fullName}`,
    decode,
    encode,
    toJson: (json) => json,
    fromJson,
    toText: canonicalJson,
    fromText(text) {
      return fromJson(parseJson(text))
    },
  }

  function decode(bytes: Uint8Array): Json {
    try {
      return write(type.decode(new WireReader(bytes)))
    } catch (error) {
      throw new Error(`it is not a valid ${fullName}: ${(error as Error).message.slice(0, reasonLengthMax)}`, {
        cause: error,
      })
    }
  }
}
