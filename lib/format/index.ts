/** Formats of keys and values: makes codecs from settings or from what a store module gives. */
import type { Codec, Json } from './codec.ts'
import type { FormatSpec, SimpleFormat } from './formats-config.ts'
import { bytesCodec } from './simple/bytes.ts'
import { int32Codec, int64Codec } from './simple/integers.ts'
import { jsonCodec, jsonValueCodec } from './simple/json.ts'
import { rawCodec } from './simple/raw.ts'
import { utf8Codec } from './simple/utf8.ts'
import { uuidBinaryCodec, uuidCodec } from './simple/uuid.ts'

export { type Codec, type Json, SchemaPending } from './codec.ts'
export {
  type FormatsConfig,
  type FormatSpec,
  type RegistryConfig,
  type SimpleFormat,
  simpleFormats,
} from './formats-config.ts'
export { checkRegistries } from './registry-checks.ts'
export { canonicalJson } from './simple/canonical-json.ts'

/** Type of the values of each simple format, as a program has them. */
export interface SimpleValues {
  raw: Uint8Array
  utf8: string
  json: Json
  int32: number
  int64: bigint
  uuid: string
  'uuid-binary': string
  bytes: Uint8Array
}

/** Codecs by name. They are shared, because they have no state. */
export const simpleCodecs: { readonly [F in SimpleFormat]: Codec<SimpleValues[F]> } = {
  raw: rawCodec,
  utf8: utf8Codec,
  json: jsonCodec,
  int32: int32Codec,
  int64: int64Codec,
  uuid: uuidCodec,
  'uuid-binary': uuidBinaryCodec,
  bytes: bytesCodec,
}

/**
 * Returns the codec of a format. Reads the format's files immediately.
 * @throws LatchkeyError invalid_settings: a file that cannot be read, an invalid schema, a message that is not in it
 */
// oxlint-disable-next-line typescript/no-explicit-any -- the caller that named the format knows what the values are
export function codecOf(spec: FormatSpec): Codec<any> {
  switch (spec.format) {
    case 'protobuf':
      return protobufModule().protobufCodec(spec)
    case 'avro':
      return avroModule().avroCodec(spec)
    case 'registry':
      return registryModule().registryCodec(spec)
    default:
      return simpleCodecs[spec.format]
  }
}

/**
 * Like codecOf, for values: members of JSON keep their order. Keys need a canonical order, to be found by their text.
 * @throws the same errors
 */
// oxlint-disable-next-line typescript/no-explicit-any -- as above
export function valueCodecOf(spec: FormatSpec): Codec<any> {
  if (spec.format === 'json') return jsonValueCodec
  return spec.format === 'registry' ? registryModule().registryValueCodec(spec) : codecOf(spec)
}

/** Loaded on demand: without this format, a start neither waits for the library nor keeps it in memory. */
function protobufModule() {
  return require('./protobuf.ts') as typeof import('./protobuf.ts')
}

function avroModule() {
  return require('./avro.ts') as typeof import('./avro.ts')
}

function registryModule() {
  return require('./registry.ts') as typeof import('./registry.ts')
}
