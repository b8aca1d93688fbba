/** Formats of keys and values: what settings or a store module name, made into codecs. */
import { type Codec, type Json } from './codec.ts'
import { type FormatSpec, type SimpleFormat } from './formats-config.ts'
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

/** What a program has of each simple format. */
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

/** By name. Shared, since they hold nothing. */
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
 * The codec of a format. Files that it names are read here and now.
 * @throws LatchkeyError invalid_settings: a file that cannot be read, a schema that is none, a message that is not in it
 */
// oxlint-disable-next-line typescript/no-explicit-any -- what the values are is known to whoever named the format
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

/** The same for values: members of JSON keep their order, where keys have them in one that makes them findable. @throws likewise */
// oxlint-disable-next-line typescript/no-explicit-any -- as above
export function valueCodecOf(spec: FormatSpec): Codec<any> {
  if (spec.format === 'json') return jsonValueCodec
  return spec.format === 'registry' ? registryModule().registryValueCodec(spec) : codecOf(spec)
}

/** Loaded when asked for: whoever has no such format neither waits for the library nor holds it. */
function protobufModule() {
  return require('./protobuf.ts') as typeof import('./protobuf.ts')
}

function avroModule() {
  return require('./avro.ts') as typeof import('./avro.ts')
}

function registryModule() {
  return require('./registry.ts') as typeof import('./registry.ts')
}
