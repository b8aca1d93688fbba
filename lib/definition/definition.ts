/**
 * What the keys and values of a store are, and how records are converted on their way in. Made from settings, or by a
 * store module.
 */
import type { Codec } from '../format/codec.ts'

/** Returned by `convert` for a record that must leave the store unchanged. */
export const skip: unique symbol = Symbol.for('latchkey.skip')

/** The source record that is being converted, without its value. */
export interface SourceRecord<K> {
  readonly key: K
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** Milliseconds since the epoch; -1 if the record has none. */
  readonly timestamp: number
}

/**
 * Validation is part of the codecs: `input.decode` validates what it returns, `value.encode` what it encodes.
 * The functions run on the store thread, only for records of the source, before the changelog is written.
 */
// oxlint-disable-next-line typescript/no-explicit-any -- a definition of any types is what the store itself works with
export interface Definition<K = any, I = any, V = any> {
  readonly key: Codec<K>
  /** Codec of the topic's values. */
  readonly input: Codec<I>
  /** Codec of stored values, in memory and in the changelog. */
  readonly value: Codec<V>
  /** Returns the value to store; null deletes the key. Absent: the input is the value. */
  readonly convert?: (input: I, record: SourceRecord<K>) => V | null | typeof skip
  /** Runs before a key's first value is written. May change the value, or return another one. */
  readonly onNew?: (key: K, value: V) => V | void
  /** Runs before each later value of a key is written. May change the new value, or return another one. */
  readonly onUpdate?: (key: K, old: V, value: V) => V | void
  /** Runs before a key that has a value is deleted. */
  readonly onDelete?: (key: K, old: V) => void
  /**
   * URL of the module with this definition as its default export, for other threads to load. Absent if made from
   * settings.
   */
  readonly module?: string
  /** Keys and values are not decoded: their bytes pass through unchecked. */
  readonly isPlain: boolean
  /**
   * Input and value have the same format and there is no `convert`: the bytes of valid records are stored unchanged.
   */
  readonly keepsBytes: boolean
}
