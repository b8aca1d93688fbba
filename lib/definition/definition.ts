/** What a store's keys and values are, and what happens to a record on its way in: made of settings, of a store module, or by an embedder. */
import { type Codec } from '../format/codec.ts'

/** Returned by `convert` for a record that is to leave no trace. */
export const skip: unique symbol = Symbol.for('latchkey.skip')

/** The source record that is being converted. */
export interface SourceRecord<K> {
  readonly key: K
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** Milliseconds; -1 none. */
  readonly timestamp: number
}

/**
 * Validation is part of the codecs: `input.decode` has validated what it returns, `value.encode` what it is given.
 * The functions run on the store thread, on records of the source only, before the changelog is written.
 */
// oxlint-disable-next-line typescript/no-explicit-any -- a definition of any types is what the store itself works with
export interface Definition<K = any, I = any, V = any> {
  readonly key: Codec<K>
  /** Of the topic's values. */
  readonly input: Codec<I>
  /** Of what is stored, in memory and in the changelog. */
  readonly value: Codec<V>
  /** null deletes the key. Absent: the input is the value. */
  readonly convert?: (input: I, record: SourceRecord<K>) => V | null | typeof skip
  /** Before a key's first value is written. May change the value, or return another one. */
  readonly onNew?: (key: K, value: V) => V | void
  /** Before a key's next value is written. May change the new value, or return another one. */
  readonly onUpdate?: (key: K, old: V, value: V) => V | void
  /** Before a key that has a value is deleted. */
  readonly onDelete?: (key: K, old: V) => void
  /** URL of the module whose default export this is: what another thread loads. Absent for one made of settings. */
  readonly module?: string
  /** Keys and values are not looked at: their bytes pass through. */
  readonly isPlain: boolean
  /** Input and value are one format and there is no `convert`: bytes that have been seen to be sound pass through. */
  readonly keepsBytes: boolean
}
