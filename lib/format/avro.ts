/**
 * Avro's binary encoding, with a schema. In a program a value is its JSON form, so that a store module sees what a
 * lookup returns. README.md lists the JSON of each type.
 */
import { readFileSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import { messageOf } from '../errors.ts'
import { whyUnreadable } from '../text/fs-error.ts'
import { BareBytesReader, BareBytesWriter } from './avro/bare-bytes.ts'
import { AvroReader } from './avro/reader.ts'
import { avroTypeOf, type NamedTypes } from './avro/schema.ts'
import type { AvroType } from './avro/type.ts'
import { AvroWriter } from './avro/writer.ts'
import type { Codec, Json } from './codec.ts'
import { formatFault } from './format-fault.ts'
import { canonicalJson } from './simple/canonical-json.ts'
import { jsonCodec } from './simple/json.ts'

const schemaBytesMax = 1_048_576

/**
 * @param spec names a file with a schema in JSON, of at most 1 MB
 * @throws LatchkeyError invalid_settings if the file cannot be read or is not a schema
 */
export function avroCodec({ file }: { readonly file: string }): Codec<Json> {
  let text
  try {
    if (statSync(file).size > schemaBytesMax) throw new Error(`it is longer than ${schemaBytesMax} bytes`)
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw formatFault('avro', 'file', `${basename(file)} cannot be read: ${whyUnreadable(error)}`)
  }
  try {
    return avroCodecOfTexts([text])
  } catch (error) {
    throw formatFault('avro', 'file', `${basename(file)} is not an Avro schema in JSON: ${messageOf(error)}`)
  }
}

/**
 * Returns the codec of the last of several schemas. Each schema may use the types that earlier ones define.
 * @throws Error that says what is wrong with a schema
 */
export function avroCodecOfTexts(texts: readonly string[]): Codec<Json> {
  return avroCodecOf(lastTypeOf(texts), new AvroReader(), new AvroWriter())
}

/**
 * The same for the payload after the schema id in a registry's wire format. There a value has no length prefix if its
 * whole schema is `bytes`.
 */
export function registeredAvroCodec(texts: readonly string[]): Codec<Json> {
  const type = lastTypeOf(texts)
  // Only the primitive type has this name, with or without a logical type.
  if (type.name === 'bytes') return avroCodecOf(type, new BareBytesReader(), new BareBytesWriter())
  return avroCodecOf(type, new AvroReader(), new AvroWriter())
}

function lastTypeOf(texts: readonly string[]): AvroType {
  const names: NamedTypes = new Map()
  return texts.map((text) => avroTypeOf(text, names)).at(-1)!
}

function avroCodecOf(type: AvroType, reader: AvroReader, writer: AvroWriter): Codec<Json> {
  const decode = (bytes: Uint8Array): Json => reader.all(bytes, (input) => type.read(input))
  const encode = (json: Json, isStrict = false): Uint8Array =>
    writer.all(isStrict, (output) => type.write(output, json))
  return {
    name: `avro ${type.name}`,
    decode,
    encode: (json) => encode(json),
    toJson: (json) => json,
    // Fills in defaults and gives each value its one canonical form.
    fromJson: (json) => decode(encode(json)),
    toText,
    fromText: (text) => decode(bytesOfText(text)),
  }

  /** A string has no quotation marks, unless a union could read it as another type. */
  function toText(json: Json): string {
    return typeof json === 'string' && (type.shape !== 'any' || !isJson(json)) ? json : canonicalJson(json)
  }

  function bytesOfText(text: string): Uint8Array {
    if (type.shape === 'string') return encode(text, true)
    try {
      return encode(jsonCodec.fromText(text), true)
    } catch (error) {
      const bytes = isJson(text) ? undefined : bytesOfString(text)
      if (bytes === undefined) throw error
      return bytes
    }
  }

  function bytesOfString(text: string): Uint8Array | undefined {
    try {
      return encode(text, true)
    } catch {
      return undefined
    }
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
