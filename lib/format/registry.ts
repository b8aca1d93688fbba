/**
 * Confluent's wire format
 * (https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/index.html#wire-format): a
 * zero byte, a schema id of 4 bytes, big-endian, then the payload that the schema describes.
 * In a program a value is its JSON form, whichever schema it was written with. It is encoded with the latest schema of
 * a subject.
 */
import type { Codec, Json } from './codec.ts'
import type { FormatSpec } from './formats-config.ts'
import type { CompiledSchema } from './registry/compile.ts'
import { type Schemas, schemasOf } from './registry/schemas.ts'
import { canonicalJson } from './simple/canonical-json.ts'
import { jsonCodec, jsonValueCodec } from './simple/json.ts'

type RegistrySpec = Extract<FormatSpec, { format: 'registry' }>

const headerLength = 5

/**
 * Sends no request to the registry before a schema is needed.
 * @param schemas for tests
 * @param ofJson encodes if the kind is `json`
 */
export function registryCodec(
  spec: RegistrySpec,
  schemas: Schemas = schemasOf(spec.registry),
  ofJson: Codec<Json> = jsonCodec,
): Codec<Json> {
  const { kind, subject } = spec
  if (subject !== undefined) schemas.willAsk(subject)

  /** Schema of the previous record. Most records have the same one. */
  let last: CompiledSchema | undefined
  let newest: CompiledSchema | undefined

  function latest(): CompiledSchema {
    if (subject === undefined) throw new Error('it cannot be encoded: no subject says under which schema')
    return (newest ??= schemas.latest(subject, kind))
  }

  function schemaOf(id: number): CompiledSchema {
    if (last?.id !== id) last = schemas.byId(id, kind)
    return last
  }

  return {
    name: `registry ${kind}`,
    decode(bytes) {
      const id = schemaIdOf(bytes)
      const payload = bytes.subarray(headerLength)
      // JSON needs no schema to be decoded, so it does not wait for one.
      return kind === 'json' ? jsonCodec.decode(payload) : schemaOf(id).decode(payload)
    },
    encode(json) {
      const { id, prefix, codec } = latest()
      const payload = (kind === 'json' ? ofJson : codec).encode(json)
      const bytes = new Uint8Array(headerLength + prefix.length + payload.length)
      new DataView(bytes.buffer).setUint32(1, id)
      bytes.set(prefix, headerLength)
      bytes.set(payload, headerLength + prefix.length)
      return bytes
    },
    toJson: (json) => json,
    fromJson: (json) => latest().codec.fromJson(json),
    // Avro's schema decides whether a string has quotation marks.
    toText: (json) =>
      typeof json === 'string' && subject !== undefined ? latest().codec.toText(json) : canonicalJson(json),
    fromText: (text) => latest().codec.fromText(text),
  }
}

/**
 * The codec for values: members of JSON keep their order.
 * @param schemas for tests
 */
export function registryValueCodec(spec: RegistrySpec, schemas: Schemas = schemasOf(spec.registry)): Codec<Json> {
  return registryCodec(spec, schemas, jsonValueCodec)
}

function schemaIdOf(bytes: Uint8Array): number {
  if (bytes[0] !== 0) {
    const found = bytes[0] === undefined ? 'no bytes at all' : `a first byte of ${bytes[0]}`
    throw new Error(`${found} found, where the wire format of a schema registry has 0`)
  }
  if (bytes.length < headerLength) throw new Error(`${bytes.length} bytes found, too few for the id of a schema`)
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(1)
}
