/**
 * Converts between the bytes in Kafka and the values in a program. A codec is synchronous, holds no record, and can be
 * shared.
 */

/** A value that JSON can represent. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }

export interface Codec<T = unknown> {
  /** Name for messages: `int64`, `protobuf orders.v1.Order`. */
  readonly name: string
  /**
   * Must not keep or change `bytes`, which may be a view of a buffer that will be reused.
   * @throws Error that says what was found, if the bytes are not valid; SchemaPending if a schema has to be fetched
   *   first
   */
  decode(bytes: Uint8Array): T
  /**
   * Canonical: equal values give equal bytes, as far as the format allows.
   * @throws Error that says what was found, if the value is not valid; SchemaPending
   */
  encode(value: T): Uint8Array
  /** Returns the JSON form: whole numbers beyond 2^53 as decimal strings, bytes as base64. */
  toJson(value: T): Json
  /**
   * The inverse of toJson. Accepts a whole number as a number or as a decimal string.
   * @throws Error that says what is expected
   */
  fromJson(json: Json): T
  /** Returns the text for a URL or text/plain: plain text for simple formats, canonical JSON for structured ones. */
  toText(value: T): string
  /**
   * The inverse of toText.
   * @throws Error that completes "it is …" or "it must be …"
   */
  fromText(text: string): T
  /** The stored bytes are JSON text, which can be served without decoding. */
  readonly isJsonText?: true
}

/**
 * Thrown by decode and encode if a schema is not available yet: wait for `ready`, then call again. Not an error of the
 * record.
 */
export class SchemaPending extends Error {
  override readonly name = 'SchemaPending'
  /**
   * Resolves when the next call will not wait for the same schema. Never rejects: the next call throws the error
   * instead.
   */
  readonly ready: Promise<void>

  constructor(what: string, ready: Promise<void>) {
    super(`${what} is being fetched`)
    this.ready = ready
  }
}
