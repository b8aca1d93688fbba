/** Compiles a registered schema and its references into a codec for payloads. */
import { registeredAvroCodec } from '../avro.ts'
import type { Codec, Json } from '../codec.ts'
import type { FormatSpec } from '../formats-config.ts'
import { jsonCodec } from '../simple/json.ts'

export type SchemaKind = Extract<FormatSpec, { format: 'registry' }>['kind']

/** Names of schema types in the registry's responses. A schema without a type is Avro. */
export const schemaTypes = { avro: 'AVRO', protobuf: 'PROTOBUF', json: 'JSON' } as const satisfies Record<
  SchemaKind,
  string
>

export interface CompiledSchema {
  readonly id: number
  /** Characters of the schema and its references. */
  readonly size: number
  /** Bytes between the schema id and the payload, when encoding. */
  readonly prefix: Uint8Array
  readonly codec: Codec<Json>
  /** @param bytes all bytes after the schema id */
  decode(bytes: Uint8Array): Json
}

const none = new Uint8Array(0)

/**
 * @param references texts by name, each before those that refer to it
 * @throws Error that says what is wrong with the schema
 */
export function compile(
  kind: SchemaKind,
  id: number,
  text: string,
  references: ReadonlyMap<string, string>,
): CompiledSchema {
  const size = references.values().reduce((sum, reference) => sum + reference.length, text.length)
  switch (kind) {
    case 'avro': {
      const codec = registeredAvroCodec([...new Set(references.values()), text])
      return { id, size, prefix: none, codec, decode: codec.decode }
    }
    case 'protobuf': {
      const { codecOfFirst, decode } = protobufModule().protobufSchema(text, references)
      return { id, size, prefix: Uint8Array.of(0), codec: codecOfFirst, decode }
    }
    case 'json':
      return { id, size, prefix: none, codec: jsonCodec, decode: jsonCodec.decode }
  }
}

/** Loaded on demand: without this format, a start neither waits for the library nor keeps it in memory. */
function protobufModule() {
  return require('./protobuf.ts') as typeof import('./protobuf.ts')
}
