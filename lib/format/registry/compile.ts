/** A registered schema with all that it refers to, made into what reads and writes payloads. */
import { registeredAvroCodec } from '../avro.ts'
import { type Codec, type Json } from '../codec.ts'
import { type FormatSpec } from '../formats-config.ts'
import { jsonCodec } from '../simple/json.ts'

export type Kind = Extract<FormatSpec, { format: 'registry' }>['kind']

/** As registries name them; without a name it is Avro. */
export const schemaTypes = { avro: 'AVRO', protobuf: 'PROTOBUF', json: 'JSON' } as const satisfies Record<Kind, string>

export interface CompiledSchema {
  readonly id: number
  /** Characters of its text and of what it refers to. */
  readonly size: number
  /** What stands between the schema's id and the payload that `encode` makes. */
  readonly prefix: Uint8Array
  readonly codec: Codec<Json>
  /** @param bytes what follows the schema's id */
  decode(bytes: Uint8Array): Json
}

const none = new Uint8Array(0)

/**
 * @param references texts by name, one before those that need it
 * @throws Error saying what is wrong with the schema
 */
export function compile(kind: Kind, id: number, text: string, references: ReadonlyMap<string, string>): CompiledSchema {
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

/** Loaded when asked for: whoever has no such format neither waits for the library nor holds it. */
function protobufModule() {
  return require('./protobuf.ts') as typeof import('./protobuf.ts')
}
