/** The definition that settings make: formats, and a conversion where the topic's and the store's differ. */
import { codecOf, valueCodecOf, type FormatsConfig, type FormatSpec } from '../format/index.ts'
import { type Definition } from './definition.ts'

const raw: FormatSpec = { format: 'raw' }

/**
 * Without formats everything passes through unseen.
 * @throws Error where a format cannot be had: a file is missing, a message unknown, a schema invalid
 */
export function definitionOfFormats(
  { key, value, store }: FormatsConfig = { key: raw, value: raw, store: raw },
): Definition {
  const keyCodec = codecOf(key)
  const input = valueCodecOf(value)
  if (Bun.deepEquals(value, store)) {
    const isPlain = key.format === 'raw' && value.format === 'raw'
    return { key: keyCodec, input, value: input, isPlain, keepsBytes: true }
  }
  const stored = valueCodecOf(store)
  // What two formats have in common is what JSON can say.
  const convert = (decoded: unknown): unknown => stored.fromJson(input.toJson(decoded))
  return { key: keyCodec, input, value: stored, convert, isPlain: false, keepsBytes: false }
}
