/** Formats as settings describe them: plain data, which can be sent to another thread. */

/** `raw` passes bytes through unchecked. */
export const simpleFormats = ['raw', 'utf8', 'json', 'int32', 'int64', 'uuid', 'uuid-binary', 'bytes'] as const

export type SimpleFormat = (typeof simpleFormats)[number]

export interface RegistryConfig {
  /** Without credentials. */
  readonly url: string
  /** For basic authentication. */
  readonly credentials?: { readonly user: string; readonly password: string }
}

export type FormatSpec =
  | { readonly format: SimpleFormat }
  /**
   * @member file, include absolute paths
   * @member message full name, such as `orders.v1.Order`
   */
  | {
      readonly format: 'protobuf'
      readonly file: string
      readonly message: string
      readonly include?: readonly string[]
    }
  /** @member file absolute path of a schema in JSON */
  | { readonly format: 'avro'; readonly file: string }
  /** Confluent's wire format: a zero byte, the schema's id, then Avro, Protobuf or JSON. */
  | {
      readonly format: 'registry'
      readonly kind: 'avro' | 'protobuf' | 'json'
      readonly registry: RegistryConfig
      /** Values are encoded with the latest schema of this subject. Without a subject, values can only be decoded. */
      readonly subject?: string
    }

export interface FormatsConfig {
  readonly key: FormatSpec
  /** Format of the topic's values. */
  readonly value: FormatSpec
  /** Format of stored values, in memory and in the changelog. */
  readonly store: FormatSpec
}
