/** Makes a definition from settings: formats, and a conversion if the topic and the store have different ones. */
import { codecOf, type FormatsConfig, type FormatSpec, valueCodecOf } from '../format/index.ts'
import type { Definition } from './definition.ts'

const raw: FormatSpec = { format: 'raw' }

/**
 * Without formats, all bytes pass through unchecked.
 * @throws Error if a codec cannot be made: a file is missing, a message unknown, a schema invalid
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
  // Converts by way of the JSON form, which all formats share.
  const convert = (decoded: unknown): unknown => stored.fromJson(input.toJson(decoded))
  return { key: keyCodec, input, value: stored, convert, isPlain: false, keepsBytes: false }
}
