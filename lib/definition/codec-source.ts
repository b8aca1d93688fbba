/** What a store module can give as its key, input and value, and the types of values that follow. */
import type * as v from 'valibot'
import type { Codec, Json, RegistryConfig, SimpleFormat, SimpleValues } from '../format/index.ts'

declare const valueType: unique symbol

/** Carries the type of values for the compiler. The member does not exist at run time. */
interface Typed<T> {
  readonly [valueType]?: T
}

export interface JsonFormat<T = Json> extends Typed<T> {
  readonly format: 'json'
}

export interface ProtobufFormat<T = Json> extends Typed<T> {
  readonly format: 'protobuf'
  /** Path, relative to the module. */
  readonly file: string
  /** Full name, such as `orders.v1.Order`. */
  readonly message: string
  /** Folders where imports are looked up, relative to the module. */
  readonly include?: readonly string[]
}

export interface AvroFormat<T = Json> extends Typed<T> {
  readonly format: 'avro'
  /** Path of a schema in JSON, relative to the module. */
  readonly file: string
}

export interface RegistryFormat<T = Json> extends Typed<T> {
  readonly format: 'registry'
  readonly kind: 'avro' | 'protobuf' | 'json'
  readonly registry: RegistryConfig
  /** Values are encoded with the latest schema of this subject. Without a subject, values can only be decoded. */
  readonly subject?: string
}

export type ModuleFormat<T = Json> = JsonFormat<T> | ProtobufFormat<T> | AvroFormat<T> | RegistryFormat<T>

/** A user's own format. Missing functions have a default: see each member. */
export interface OwnCodec<T = unknown> {
  /**
   * @param bytes a copy, which the function may keep
   * @throws any value, if the bytes are not valid
   */
  decode(bytes: Uint8Array): T
  encode(value: T): Uint8Array
  /** For messages; default: `own`. */
  readonly name?: string
  /** Default: JSON.stringify, but with bigints as whole numbers and bytes as base64. */
  toJson?(value: T): Json
  /** Default: returns the JSON unchanged. */
  fromJson?(json: Json): T
  /** Text of a key in a URL, or of a value as text/plain. Default: a string unchanged, other values as JSON. */
  toText?(value: T): string
  /**
   * The inverse of toText. Default: the text itself if encode and decode return it unchanged, else the text parsed as
   * JSON.
   */
  fromText?(text: string): T
}

/** A format with a schema for the values that it decodes. */
export interface ValidatedFormat<S extends v.GenericSchema = v.GenericSchema> {
  readonly format: SimpleFormat | ModuleFormat<unknown>
  readonly schema: S
}

/** A schema alone stands for JSON that it validates. */
// oxlint-disable-next-line typescript/no-explicit-any -- the type of values is inferred from what is given
export type CodecSource = SimpleFormat | ModuleFormat<any> | ValidatedFormat | v.GenericSchema | OwnCodec<any>

/** The type of values, as a program has them. */
export type ValueOf<C> = C extends SimpleFormat
  ? SimpleValues[C]
  : C extends ValidatedFormat<infer S>
    ? v.InferOutput<S>
    : C extends v.GenericSchema
      ? v.InferOutput<C>
      : C extends ModuleFormat<infer T>
        ? T
        : C extends Pick<Codec<infer T>, 'decode'>
          ? T
          : never

/** JSON, typed as `T` without validation. To validate, give a schema instead. */
export function json<T = Json>(): JsonFormat<T> {
  return { format: 'json' }
}

/** Protocol Buffers. A value is the JSON form of a message, typed as `T` without validation. */
export function protobuf<T = Json>(options: Omit<ProtobufFormat<T>, 'format'>): ProtobufFormat<T> {
  return { ...options, format: 'protobuf' }
}

/**
 * Avro without a registry: a record holds the value and nothing else. A value is its JSON form, typed as `T` without
 * validation.
 */
export function avro<T = Json>(options: Omit<AvroFormat<T>, 'format'>): AvroFormat<T> {
  return { ...options, format: 'avro' }
}

export interface RegistryOptions {
  readonly kind: 'avro' | 'protobuf' | 'json'
  readonly url: string
  /** For basic authentication. */
  readonly credentials?: { readonly user: string; readonly password: string }
  /** Values are encoded with the latest schema of this subject. Without a subject, values can only be decoded. */
  readonly subject?: string
}

/** Confluent's wire format, with schemas from a registry. A value is its JSON form, typed as `T` without validation. */
export function registry<T = Json>({ kind, url, credentials, subject }: RegistryOptions): RegistryFormat<T> {
  const config = { url, ...(credentials && { credentials }) }
  return { format: 'registry', kind, registry: config, ...(subject !== undefined && { subject }) }
}
