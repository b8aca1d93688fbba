/** What a store module may name for its key, its input and its value, and the type of value that follows from it. */
import type * as v from 'valibot'
import { type Codec, type Json, type RegistryConfig, type SimpleFormat, type SimpleValues } from '../format/index.ts'

declare const valueType: unique symbol

/** Says a value's type to the compiler; at run time there is no such member. */
interface Typed<T> {
  readonly [valueType]?: T
}

export interface JsonFormat<T = Json> extends Typed<T> {
  readonly format: 'json'
}

export interface ProtobufFormat<T = Json> extends Typed<T> {
  readonly format: 'protobuf'
  /** Relative to the module. */
  readonly file: string
  /** Full name, such as `orders.v1.Order`. */
  readonly message: string
  /** Folders that imports are looked for in, relative to the module. */
  readonly include?: readonly string[]
}

export interface AvroFormat<T = Json> extends Typed<T> {
  readonly format: 'avro'
  /** A schema in JSON, relative to the module. */
  readonly file: string
}

export interface RegistryFormat<T = Json> extends Typed<T> {
  readonly format: 'registry'
  readonly kind: 'avro' | 'protobuf' | 'json'
  readonly registry: RegistryConfig
  /** Whose latest schema values are encoded with; without it values can only be decoded. */
  readonly subject?: string
}

export type ModuleFormat<T = Json> = JsonFormat<T> | ProtobufFormat<T> | AvroFormat<T> | RegistryFormat<T>

/** A format of one's own. What is left out is completed: see each member. */
export interface OwnCodec<T = unknown> {
  /** @param bytes its own to keep @throws whatever it likes, where they are no such value */
  decode(bytes: Uint8Array): T
  encode(value: T): Uint8Array
  /** For messages; `own` where left out. */
  readonly name?: string
  /** Left out: as JSON.stringify has it, but bigints as whole numbers and bytes as base64. */
  toJson?(value: T): Json
  /** Left out: the JSON itself is the value. */
  fromJson?(json: Json): T
  /** Of a key in a URL, or a value as text/plain. Left out: a string as it is, anything else as JSON. */
  toText?(value: T): string
  /** The reverse. Left out: the text itself where it is a value that comes back out of encode and decode, else what it says as JSON. */
  fromText?(text: string): T
}

/** A schema for what a format decodes. */
export interface ValidatedFormat<S extends v.GenericSchema = v.GenericSchema> {
  readonly format: SimpleFormat | ModuleFormat<unknown>
  readonly schema: S
}

/** A schema alone means JSON that it validates. */
// oxlint-disable-next-line typescript/no-explicit-any -- the type of values is inferred from what is given
export type CodecSource = SimpleFormat | ModuleFormat<any> | ValidatedFormat | v.GenericSchema | OwnCodec<any>

/** The values that a program has of it. */
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

/** JSON that is believed to be a `T`: nothing checks it. A schema in its place does. */
export function json<T = Json>(): JsonFormat<T> {
  return { format: 'json' }
}

/** Protocol Buffers; a message is its JSON form, believed to be a `T`. */
export function protobuf<T = Json>(options: Omit<ProtobufFormat<T>, 'format'>): ProtobufFormat<T> {
  return { ...options, format: 'protobuf' }
}

/** Avro without a registry: nothing but the value in each record. A value is its JSON form, believed to be a `T`. */
export function avro<T = Json>(options: Omit<AvroFormat<T>, 'format'>): AvroFormat<T> {
  return { ...options, format: 'avro' }
}

export interface RegistryOptions {
  readonly kind: 'avro' | 'protobuf' | 'json'
  readonly url: string
  /** For basic authentication. */
  readonly credentials?: { readonly user: string; readonly password: string }
  /** Whose latest schema values are encoded with; without it values can only be decoded. */
  readonly subject?: string
}

/** Confluent's wire format, with the schemas of a registry. A value is its JSON form, believed to be a `T`. */
export function registry<T = Json>({ kind, url, credentials, subject }: RegistryOptions): RegistryFormat<T> {
  const config = { url, ...(credentials && { credentials }) }
  return { format: 'registry', kind, registry: config, ...(subject !== undefined && { subject }) }
}
