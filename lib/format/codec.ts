/** Between the bytes that Kafka has and the values that a program has. A codec is synchronous, holds no record, and may be shared. */

/** What JSON can say. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }

export interface Codec<T = unknown> {
  /** For messages: `int64`, `protobuf orders.v1.Order`. */
  readonly name: string
  /**
   * Never keeps or changes `bytes`, which may be a view of a buffer that is used again.
   * @throws Error saying what was found, where they are no such value; SchemaPending where a schema has to be fetched first
   */
  decode(bytes: Uint8Array): T
  /**
   * Canonical: equal values give equal bytes, as far as the format allows.
   * @throws Error saying what was found, where it is no such value; SchemaPending
   */
  encode(value: T): Uint8Array
  /** As JSON shows it: whole numbers beyond 2^53 as decimal strings, bytes as base64. */
  toJson(value: T): Json
  /** The reverse, which takes a whole number as a number or a decimal string. @throws Error saying what is expected */
  fromJson(json: Json): T
  /** A value as a URL or text/plain has it: the plain text of simple formats, canonical JSON of structured ones. */
  toText(value: T): string
  /** The reverse. @throws Error that completes "it is …" or "it must be …" */
  fromText(text: string): T
  /** The stored bytes are themselves what JSON shows, and need not be decoded to be served as JSON. */
  readonly isJsonText?: true
}

/** Thrown by decode and encode where a schema is not there yet: wait for `ready`, then ask again. Not a fault of the record. */
export class SchemaPending extends Error {
  override readonly name = 'SchemaPending'
  /** Resolves when asking again will not be pending for the same schema; never rejects: a failure is then thrown by the next call. */
  readonly ready: Promise<void>

  constructor(what: string, ready: Promise<void>) {
    super(`${what} is being fetched`)
    this.ready = ready
  }
}
